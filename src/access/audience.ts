/**
 * Decides which facts about accounts a question about rights may reveal to its asker. Operators and administrators may know
 * everything, and an account everything about itself, except its access tokens when it asks with a narrowed one. An
 * administrator of an owner may also know whether that user, or a robot of the owner, is disabled, and the access tokens of
 * that robot.
 */
import type { Account } from '../metadata/identity/accounts.ts'
import { isWhole } from '../identity/principal.ts'
import type { Principal } from '../identity/principal.ts'

/** The principal that asks; `undefined`: the operator. */
export type Asker = Principal | undefined

/** Whether the asker may know everything about every account. */
export function isInformed(asker: Asker): boolean {
  if (asker === undefined) return true
  return asker.kind === 'user' && asker.isAdmin && isWhole(asker)
}

/** Returns the user's own name, or the owner of a robot. */
export function ownerOfAccount(name: string): string {
  const plus = name.indexOf('+')
  return plus === -1 ? name : name.slice(0, plus)
}

/**
 * Whether an asker who administers all of `owner` may know if the account is disabled. `undefined`: the asker does not
 * administer the whole owner.
 */
export function knowsState(
  asker: Asker,
  { id, name }: Pick<Account, 'id' | 'name'>,
  owner: string | undefined,
): boolean {
  return isInformed(asker) || isSelf(asker, id) || ownerOfAccount(name) === owner
}

/**
 * Whether the asker may know the access tokens of the account, their limits and how they ended. `owner` has the same meaning
 * as in `knowsState`, but only for robots: the tokens of a user are personal. A narrowed token reveals nothing about others.
 */
export function knowsTokens(
  asker: Asker,
  { id, kind, name }: Pick<Account, 'id' | 'kind' | 'name'>,
  owner: string | undefined,
): boolean {
  if (isInformed(asker)) return true
  if (kind === 'robot' && ownerOfAccount(name) === owner) return true
  return asker !== undefined && asker.kind !== 'anonymous' && asker.accountId === id && isWhole(asker)
}

/** Whether the asker may know if the account is an administrator. */
export function knowsStanding(asker: Asker, { id }: Pick<Account, 'id'>): boolean {
  return isInformed(asker) || isSelf(asker, id)
}

/**
 * Whether the asker may read the audit of the account: its logins, sessions, tokens and changes. Only the account itself and
 * administrators may, and not with a narrowed credential.
 */
export function knowsAccountEvents(asker: Asker, name: string): boolean {
  if (isInformed(asker)) return true
  return asker?.kind === 'user' && asker.name === name && isWhole(asker)
}

export function isSelf(asker: Asker, accountId: number): boolean {
  return asker !== undefined && asker.kind !== 'anonymous' && asker.accountId === accountId
}
