/** Authenticates names and passwords. Robots have no password, so a login treats them like unknown names. */
import { findAccount } from '../../metadata/identity/accounts.ts'
import type { LoginOutcome } from '../../metadata/audit/audit-actions.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import type { Origin } from '../identity.ts'
import type { Logins } from './logins.ts'
import type { PasswordHasher } from './password-hash.ts'
import type { AccountPrincipal } from '../principal.ts'

export interface PasswordLoginDeps {
  readonly metadata: Metadata
  readonly passwords: PasswordHasher
  readonly logins: Logins
}

/** Costs one query and one hash, whether the account is missing, disabled or valid. */
export async function checkPasswordLogin(
  { metadata, passwords, logins }: PasswordLoginDeps,
  given: { readonly name: string; readonly password: string },
  origin: Origin,
): Promise<AccountPrincipal | undefined> {
  const account = await findAccount(metadata.reader, given.name)
  const stored = account?.kind === 'user' ? account.passwordHash : undefined
  const matches = await passwords.verify(given.password, stored)
  const outcome = judge(account, matches)
  const credential = 'password'
  logins.record({ account, credential, outcome }, origin)
  if (account === undefined || outcome !== 'granted') return undefined
  const { kind, id: accountId, name, isAdmin, credentialVersion } = account
  return { kind, accountId, name, isAdmin, scopes: undefined, credentialVersion, credential }
}

function judge(account: { readonly disabled: boolean } | undefined, matches: boolean): LoginOutcome {
  if (account === undefined) return 'unknown'
  if (!matches) return 'wrong-password'
  return account.disabled ? 'disabled' : 'granted'
}
