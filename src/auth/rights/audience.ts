/**
 * What those who ask about rights may know of accounts. Whether an account is disabled, or an administrator, is for
 * operators, administrators, the account itself, and those who administer the owner that the account is or belongs to.
 */
import type { Account } from '../../metadata/accounts.ts'
import { isWhole } from '../principal.ts'
import type { Principal } from '../principal.ts'

/** Who asks; `undefined`: the operator. */
export type Asker = Principal | undefined

/** Whether the asker may know everything of every account. */
export function isInformed(asker: Asker): boolean {
  if (asker === undefined) return true
  return asker.kind === 'user' && asker.isAdmin && isWhole(asker)
}

/** The owner that a user is, or that a robot belongs to. */
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

/** Whether the asker may know if the account is an administrator. */
export function knowsStanding(asker: Asker, { id }: Pick<Account, 'id'>): boolean {
  return isInformed(asker) || isSelf(asker, id)
}

export function isSelf(asker: Asker, accountId: number): boolean {
  return asker !== undefined && asker.kind !== 'anonymous' && asker.accountId === accountId
}
