/** Issues bearer tokens for what the policy grants at the moment, and refresh tokens where the configuration has them. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import type { Clock } from '../../lib/clock.ts'
import { findAccountState } from '../../metadata/accounts.ts'
import type { AccountState } from '../../metadata/accounts.ts'
import { MetadataFull } from '../../metadata/errors.ts'
import type { LoginOutcome } from '../../metadata/login-events.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import { findRefreshToken, insertRefreshToken, touchRefreshToken } from '../../metadata/refresh-tokens.ts'
import { invalidToken, RefreshTokensOffError } from '../errors.ts'
import type { IssuedToken, Origin, TokenRequest, TokenService } from '../identity.ts'
import type { LoginEvents } from '../login-events.ts'
import type { Policy } from '../policy.ts'
import type { Principal, AccountPrincipal } from '../principal.ts'
import type { Scope } from '../scope.ts'
import type { SigningKeys } from './signing-keys.ts'
import { algorithm, audience, clockSkewSeconds, formatSubject } from './token-claims.ts'

export interface TokenServiceDeps {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly keys: SigningKeys
  readonly policy: Pick<Policy, 'grant'>
  readonly events: LoginEvents
  /** The installation's id. */
  readonly issuer: string
  readonly lifetimeMs: number
  readonly refreshTokens: boolean
}

const refreshTokenBytes = 32
const maxRefreshTokensPerAccount = 100
const touchEveryMs = 60 * 60 * 1_000
const maxClientIdCharacters = 200

export function createTokenService(deps: TokenServiceDeps): TokenService {
  return {
    issue: (request) => issue(deps, request),
    refresh: (request, origin) => refresh(deps, request, origin),
  }
}

/** Throws `CredentialsError` when the account changed since the principal was proven. */
async function issue(deps: TokenServiceDeps, request: TokenRequest): Promise<IssuedToken> {
  const { principal, offline, clientId } = request
  const scopes = await deps.policy.grant(principal, request.scopes)
  if (principal.kind === 'anonymous') return sign(deps, { accountId: undefined, version: 0, scopes })
  const version = await getVersion(deps, principal)
  const issued = await sign(deps, { accountId: principal.accountId, version, scopes })
  // A bearer token buys no token that outlives it.
  if (!offline || !deps.refreshTokens || principal.scopes !== undefined) return issued
  return {
    ...issued,
    refreshToken: await createRefreshToken(deps, principal.accountId, { version, clientId }),
  }
}

async function getVersion({ metadata }: TokenServiceDeps, principal: AccountPrincipal): Promise<number> {
  const state = await findAccountState(metadata.reader, principal.accountId)
  if (state === undefined || state.disabled) throw invalidToken()
  const proven = principal.credentialVersion ?? state.credentialVersion
  if (proven !== state.credentialVersion) throw invalidToken()
  return proven
}

async function sign(
  { keys, clock, issuer, lifetimeMs }: TokenServiceDeps,
  claims: { accountId: number | undefined; version: number; scopes: readonly Scope[] },
): Promise<IssuedToken> {
  const { kid, key } = await keys.getActive()
  const issuedAt = Math.floor(clock.now() / 1000)
  const expiresInSeconds = Math.floor(lifetimeMs / 1000)
  const access = claims.scopes.map(({ type, name, actions }) => ({ type, name, actions }))
  const token = await new SignJWT({ access, cv: claims.version })
    .setProtectedHeader({ alg: algorithm, typ: 'JWT', kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(formatSubject(claims.accountId))
    .setJti(randomUUID())
    .setIssuedAt(issuedAt)
    .setNotBefore(issuedAt - clockSkewSeconds)
    .setExpirationTime(issuedAt + expiresInSeconds)
    .sign(key)
  return {
    token,
    expiresInSeconds,
    issuedAt: new Date(issuedAt * 1000),
    scopes: claims.scopes,
    refreshToken: undefined,
  }
}

async function createRefreshToken(
  { metadata, clock }: TokenServiceDeps,
  accountId: number,
  { version, clientId }: { version: number; clientId: string | undefined },
): Promise<string> {
  const token = randomBytes(refreshTokenBytes).toString('base64url')
  const row = {
    tokenHash: hashToken(token),
    accountId,
    credentialVersion: version,
    clientId: clientId?.slice(0, maxClientIdCharacters),
    now: clock.now(),
  }
  await metadata.transact((tx) => insertRefreshToken(tx, row, maxRefreshTokensPerAccount))
  return token
}

async function refresh(
  deps: TokenServiceDeps,
  request: { refreshToken: string; scopes: readonly Scope[] },
  origin: Origin,
): Promise<IssuedToken> {
  if (!deps.refreshTokens) throw new RefreshTokensOffError()
  const { metadata, clock, events } = deps
  const row = await findRefreshToken(metadata.reader, hashToken(request.refreshToken))
  const state = row && (await findAccountState(metadata.reader, row.accountId))
  const outcome = judge(row, state)
  events.record({ accountId: row?.accountId, method: 'refresh-token', outcome }, origin)
  if (row === undefined || state === undefined || outcome !== 'granted') throw invalidToken()
  const now = clock.now()
  if (now - row.usedAt > touchEveryMs) await noteUse(metadata, { id: row.id, now })
  const principal: Principal = {
    kind: 'user',
    accountId: row.accountId,
    name: state.name,
    isAdmin: state.isAdmin,
    scopes: undefined,
    credentialVersion: row.credentialVersion,
  }
  const issued = await issue(deps, {
    principal,
    scopes: request.scopes,
    offline: false,
    clientId: row.clientId,
  })
  return { ...issued, refreshToken: request.refreshToken }
}

/** For those who list tokens. Without space it stays unnoted: a full disk must not keep anybody from pulling. */
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

/** Of 256 random bits: no salt and no slow hash are needed, and the look-up by it tells nothing by its time. */
function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
