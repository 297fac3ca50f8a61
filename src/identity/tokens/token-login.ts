/** Checks bearer tokens of this registry: the account, and the credential that they were issued from, must still be valid. */
import type { Clock } from '../../lib/clock.ts'
import { findTokenHolder } from '../../metadata/identity/access-tokens.ts'
import { findAccountState } from '../../metadata/identity/accounts.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import { isRefreshTokenUnchanged } from '../../metadata/identity/refresh-tokens.ts'
import { principalOfHolder, stateOfHolder } from '../access-tokens/token-holder.ts'
import { invalidToken } from '../errors.ts'
import type { AccountPrincipal } from '../principal.ts'
import { formatSource } from './token-claims.ts'
import type { TokenClaims } from './token-claims.ts'

export interface BearerLoginDeps {
  readonly metadata: Metadata
  readonly clock: Clock
}

type AccountClaims = TokenClaims & { readonly accountId: number }

/** Throws `CredentialsError` if the account has changed since, or if the credential behind the token has ended. */
export function checkBearer(deps: BearerLoginDeps, claims: AccountClaims): Promise<AccountPrincipal> {
  const { source } = claims
  return source?.kind === 'access-token'
    ? checkFromAccessToken(deps, source.id, claims)
    : checkFromAccount(deps, claims)
}

async function checkFromAccessToken(
  { metadata, clock }: BearerLoginDeps,
  tokenId: number,
  { accountId, credentialVersion, scopes }: AccountClaims,
): Promise<AccountPrincipal> {
  const holder = await findTokenHolder(metadata.reader, { id: tokenId })
  if (holder?.account.id !== accountId || stateOfHolder(holder, clock.now()) !== 'granted') {
    throw invalidToken()
  }
  if (holder.account.credentialVersion !== credentialVersion) throw invalidToken()
  return principalOfHolder(holder, scopes)
}

/** Checks a token that was issued from a password, or from a refresh token. */
async function checkFromAccount(
  { metadata: { reader } }: BearerLoginDeps,
  { accountId, credentialVersion, scopes, source }: AccountClaims,
): Promise<AccountPrincipal> {
  const state = await findAccountState(reader, accountId)
  if (state === undefined || state.disabled || state.credentialVersion !== credentialVersion) {
    throw invalidToken()
  }
  const { kind, name, isAdmin } = state
  const credential = formatSource(source)
  const principal = { kind, accountId, name, isAdmin, scopes, credentialVersion, credential } as const
  if (source === undefined) return principal
  const asked = { id: accountId, name, isAdmin, credentialVersion, refreshTokenId: source.id }
  if (!(await isRefreshTokenUnchanged(reader, asked))) throw invalidToken()
  return { ...principal, refreshTokenId: source.id }
}
