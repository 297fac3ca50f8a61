/** Bearer tokens of this registry as credentials: what they say, as far as the account and its access token still hold. */
import type { Clock } from '../../lib/clock.ts'
import { findTokenHolder } from '../../metadata/access-tokens.ts'
import { findAccountState } from '../../metadata/accounts.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import { principalOfHolder, stateOfHolder } from '../access-tokens/token-holder.ts'
import { invalidToken } from '../errors.ts'
import type { AccountPrincipal } from '../principal.ts'
import { formatSource } from './token-claims.ts'
import type { TokenClaims } from './token-claims.ts'

export interface BearerLoginDeps {
  readonly metadata: Metadata
  readonly clock: Clock
}

/** Throws `CredentialsError` when the account changed since, or what the token was issued from has ended. */
export async function checkBearer(
  { metadata, clock }: BearerLoginDeps,
  claims: TokenClaims & { readonly accountId: number },
): Promise<AccountPrincipal> {
  const { accountId, credentialVersion, scopes, source } = claims
  if (source?.kind === 'access-token') {
    const holder = await findTokenHolder(metadata.reader, { id: source.id })
    if (holder?.account.id !== accountId || stateOfHolder(holder, clock.now()) !== 'granted') {
      throw invalidToken()
    }
    if (holder.account.credentialVersion !== credentialVersion) throw invalidToken()
    return principalOfHolder(holder, scopes)
  }
  const state = await findAccountState(metadata.reader, accountId)
  if (state === undefined || state.disabled || state.credentialVersion !== credentialVersion) {
    throw invalidToken()
  }
  const { kind, name, isAdmin } = state
  return { kind, accountId, name, isAdmin, scopes, credentialVersion, credential: formatSource(source) }
}
