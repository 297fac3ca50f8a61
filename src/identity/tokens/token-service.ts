/** Issues bearer tokens for the scopes that the policy grants, and refresh tokens if the configuration enables them. */
import { randomBytes, randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import type { Clock } from '../../lib/clock.ts'
import { findTokenHolder } from '../../metadata/identity/access-tokens.ts'
import { findAccountState } from '../../metadata/identity/accounts.ts'
import type { AccountState } from '../../metadata/identity/accounts.ts'
import { MetadataFull } from '../../metadata/errors.ts'
import type { LoginOutcome } from '../../metadata/audit/audit-actions.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import {
  findRefreshToken,
  insertRefreshToken,
  touchRefreshToken,
} from '../../metadata/identity/refresh-tokens.ts'
import { stateOfHolder } from '../access-tokens/token-holder.ts'
import { invalidToken, RefreshTokensOffError } from '../errors.ts'
import type { IssuedToken, Origin, TokenRequest, TokenService } from '../identity.ts'
import { isLimited } from '../limited-credentials.ts'
import type { Logins } from '../passwords/logins.ts'
import type { Policy } from '../../access/policy.ts'
import type { Principal, AccountPrincipal } from '../principal.ts'
import type { Scope } from '../../access/scope.ts'
import { hashSecret } from '../secret-hash.ts'
import type { SigningKeys } from './signing-keys.ts'
import {
  accessClaims,
  algorithm,
  audience,
  clockSkewSeconds,
  formatSubject,
  sourceClaims,
} from './token-claims.ts'

export interface TokenServiceDeps {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly keys: SigningKeys
  readonly policy: Pick<Policy, 'grant'>
  readonly logins: Logins
  /** The installation's id. */
  readonly issuer: string
  readonly lifetimeMs: number
  readonly refreshTokens: boolean
}

const refreshTokenBytes = 32
const maxRefreshTokensPerAccount = 100
/** Often enough to decide which tokens of an account to keep: the most recently used ones. */
const touchEveryMs = 5 * 60 * 1_000
const maxClientIdCharacters = 200

export function createTokenService(deps: TokenServiceDeps): TokenService {
  return {
    issue: (request) => issue(deps, request),
    refresh: (request, origin) => refresh(deps, request, origin),
  }
}

/** Throws `CredentialsError` if the account or the access token has changed since the principal was authenticated. */
async function issue(deps: TokenServiceDeps, request: TokenRequest): Promise<IssuedToken> {
  const { principal, offline, clientId } = request
  const scopes = await deps.policy.grant(principal, request.scopes, request.asker)
  if (principal.kind === 'anonymous') {
    return sign(deps, { principal, version: 0, scopes, asked: [], until: undefined })
  }
  const { version, until } = await getCurrent(deps, principal)
  const access = { scopes, asked: request.scopes }
  // A limited credential gets no token that outlives it.
  if (!offline || !deps.refreshTokens || isLimited(principal)) {
    return sign(deps, { principal, version, ...access, until })
  }
  const { id, token } = await createRefreshToken(deps, principal.accountId, { version, clientId })
  // Both go to the client together, and end together.
  const holder = { ...principal, credential: `refresh-token:${id}` }
  return { ...(await sign(deps, { principal: holder, version, ...access, until })), refreshToken: token }
}

/** Returns the version of the account's credentials, and when the access token ends. */
async function getCurrent(
  { metadata, clock }: TokenServiceDeps,
  principal: AccountPrincipal,
): Promise<{ version: number; until: number | undefined }> {
  const { accountId, limits } = principal
  let until: number | undefined
  let state: AccountState | undefined
  if (limits === undefined) state = await findAccountState(metadata.reader, accountId)
  else {
    const holder = await findTokenHolder(metadata.reader, { id: limits.tokenId })
    if (holder === undefined || stateOfHolder(holder, clock.now()) !== 'granted') throw invalidToken()
    state = holder.account
    until = holder.token.expiresAt
  }
  if (state === undefined || state.disabled) throw invalidToken()
  const version = principal.credentialVersion ?? state.credentialVersion
  if (version !== state.credentialVersion) throw invalidToken()
  return { version, until }
}

interface SignedClaims {
  readonly principal: Principal
  readonly version: number
  readonly scopes: readonly Scope[]
  /** The requested scopes, for the text of later refusals; empty for anonymous clients. */
  readonly asked: readonly Scope[]
  /** The latest end of the token, regardless of the configuration. */
  readonly until: number | undefined
}

async function sign(
  { keys, clock, issuer, lifetimeMs }: TokenServiceDeps,
  { principal, version, scopes, asked, until = Infinity }: SignedClaims,
): Promise<IssuedToken> {
  const { kid, key } = await keys.getActive()
  const issuedAt = Math.floor(clock.now() / 1000)
  const expiresInSeconds = Math.min(Math.floor(lifetimeMs / 1000), Math.floor(until / 1000) - issuedAt)
  const source = principal.kind === 'anonymous' ? {} : sourceClaims(principal)
  const token = await new SignJWT({ access: accessClaims(scopes, asked), cv: version, ...source })
    .setProtectedHeader({ alg: algorithm, typ: 'JWT', kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(formatSubject(principal))
    .setJti(randomUUID())
    .setIssuedAt(issuedAt)
    .setNotBefore(issuedAt - clockSkewSeconds)
    .setExpirationTime(issuedAt + expiresInSeconds)
    .sign(key)
  return {
    token,
    expiresInSeconds,
    issuedAt: new Date(issuedAt * 1000),
    scopes,
    refreshToken: undefined,
  }
}

async function createRefreshToken(
  { metadata, clock }: TokenServiceDeps,
  accountId: number,
  { version, clientId }: { version: number; clientId: string | undefined },
): Promise<{ readonly id: number; readonly token: string }> {
  const token = randomBytes(refreshTokenBytes).toString('base64url')
  const row = {
    tokenHash: hashSecret(token),
    accountId,
    credentialVersion: version,
    clientId: clientId?.slice(0, maxClientIdCharacters),
    now: clock.now(),
  }
  const id = await metadata.transact((tx) => insertRefreshToken(tx, row, maxRefreshTokensPerAccount))
  return { id, token }
}

async function refresh(
  deps: TokenServiceDeps,
  request: Parameters<TokenService['refresh']>[0],
  origin: Origin,
): Promise<IssuedToken> {
  if (!deps.refreshTokens) throw new RefreshTokensOffError()
  const { metadata, clock, logins } = deps
  const row = await findRefreshToken(metadata.reader, hashSecret(request.refreshToken))
  const state = row && (await findAccountState(metadata.reader, row.accountId))
  const outcome = judge(row, state)
  const account = row && state && { ...state, id: row.accountId }
  const credential = row === undefined ? 'refresh-token' : `refresh-token:${row.id}`
  logins.record({ account, credential, outcome }, origin)
  if (row === undefined || state === undefined || outcome !== 'granted') throw invalidToken()
  const now = clock.now()
  if (Math.abs(now - row.usedAt) > touchEveryMs) await noteUse(metadata, { id: row.id, now })
  const principal: Principal = {
    kind: state.kind,
    accountId: row.accountId,
    name: state.name,
    isAdmin: state.isAdmin,
    scopes: undefined,
    credentialVersion: row.credentialVersion,
    credential,
  }
  const issued = await issue(deps, {
    principal,
    scopes: request.scopes,
    offline: false,
    clientId: row.clientId,
  })
  return { ...issued, refreshToken: request.refreshToken }
}

/**
 * Records the use for lists, and to choose which tokens to keep. A full disk must not stop pulls, so the record is then skipped.
 */
async function noteUse(metadata: Metadata, use: { id: number; now: number }): Promise<void> {
  try {
    await metadata.transact((tx) => touchRefreshToken(tx, use), { durable: false })
  } catch (error) {
    if (!(error instanceof MetadataFull)) throw error
  }
}

function judge(
  row: { credentialVersion: number } | undefined,
  state: AccountState | undefined,
): LoginOutcome {
  if (row === undefined || state === undefined) return 'unknown'
  if (state.disabled) return 'disabled'
  return row.credentialVersion === state.credentialVersion ? 'granted' : 'revoked'
}
