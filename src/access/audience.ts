/**
 * What the asker of a question about rights may know of accounts. Operators and administrators may know everything, and an
 * account everything of itself, but for its access tokens where it asks with a narrowed one. Anyone who administers an owner
 * may also know whether that user, or a robot of the owner, is disabled, and the access tokens of such a robot.
 */
import type { Account } from '../metadata/identity/accounts.ts'
import { isWhole } from '../identity/principal.ts'
import type { Principal } from '../identity/principal.ts'

/** The principal that asks; `undefined`: the operator. */
export type Asker = Principal | undefined

/** Whether the asker may know everything of every account. */
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
 * Whether an asker who administers all of `owner` may know if the account is disabled. `undefined`: the asker administers
 * a part at most.
 */
export function knowsState(
  asker: Asker,
  { id, name }: Pick<Account, 'id' | 'name'>,
  owner: string | undefined,
): boolean {
  return isInformed(asker) || isSelf(asker, id) || ownerOfAccount(name) === owner
}

/**
 * Whether the asker may know which access tokens the account has, their limits and how they ended. `owner` is as in
 * `knowsState`, and counts for its robots alone: the tokens of a user are personal. A narrowed token says nothing of others.
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
 * Whether the asker may read the audit of the account itself: its logins, sessions, tokens and changes. Only that account
 * and administrators may, and a narrowed credential may not.
 */
export function knowsAccountEvents(asker: Asker, name: string): boolean {
  if (isInformed(asker)) return true
  return asker?.kind === 'user' && asker.name === name && isWhole(asker)
}

export function isSelf(asker: Asker, accountId: number): boolean {
  return asker !== undefined && asker.kind !== 'anonymous' && asker.accountId === accountId
}
