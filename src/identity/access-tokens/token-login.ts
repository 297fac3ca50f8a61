/** Authenticates access tokens: one query and one fast hash, for valid and invalid tokens alike. */
import type { Clock } from '../../lib/clock.ts'
import { findTokenHolder } from '../../metadata/identity/access-tokens.ts'
import type { TokenHolder } from '../../metadata/identity/access-tokens.ts'
import type { LoginOutcome } from '../../metadata/audit/audit-actions.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import type { Origin } from '../identity.ts'
import type { Logins } from '../passwords/logins.ts'
import type { AccountPrincipal } from '../principal.ts'
import { hashSecret } from '../secret-hash.ts'
import { principalOfHolder, stateOfHolder } from './token-holder.ts'

export interface TokenLoginDeps {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly logins: Logins
}

export interface GivenToken {
  /** The name that the client sent with the token, which must be the account's; `undefined`: no name. */
  readonly name: string | undefined
  readonly token: string
}

/** Returns `undefined` for an invalid token; `logins` records which token it was and why. */
export async function checkAccessToken(
  { metadata, clock, logins }: TokenLoginDeps,
  { name, token }: GivenToken,
  origin: Origin,
): Promise<AccountPrincipal | undefined> {
  const holder = await findTokenHolder(metadata.reader, { tokenHash: hashSecret(token) })
  const outcome = judge(holder, name, clock.now())
  const credential = holder === undefined ? 'access-token' : `access-token:${holder.token.id}`
  logins.record({ account: holder?.account, credential, outcome }, origin)
  return holder === undefined || outcome !== 'granted' ? undefined : principalOfHolder(holder, undefined)
}

function judge(holder: TokenHolder | undefined, name: string | undefined, now: number): LoginOutcome {
  if (holder === undefined) return 'unknown'
  if (name !== undefined && name !== holder.account.name) return 'unknown'
  return stateOfHolder(holder, now)
}
