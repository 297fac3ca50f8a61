/** Who asks, and whether a page of another site made a browser ask: the one place that looks at credentials. */
import { CredentialsError, endedMeanwhile } from '../identity/errors.ts'
import type { Authenticator } from '../identity/identity.ts'
import { anonymous } from '../identity/principal.ts'
import type { Principal } from '../identity/principal.ts'
import { checkCsrf, checkSameSite } from '../identity/sessions/csrf.ts'
import type { Sessions } from '../identity/sessions/sessions.ts'
import { header } from './admission-request.ts'
import type { AdmissionRequest } from './admission-request.ts'
import { UnauthorizedError } from './errors.ts'
import type { Need } from './need.ts'

export interface AuthenticationDeps {
  readonly authenticator: Pick<Authenticator, 'authenticate' | 'isCurrent'>
  readonly sessions: Pick<Sessions, 'find'>
}

export interface Identified {
  readonly principal: Principal
  /** Why the token that came along does not count; a refusal says this. */
  readonly ignored: CredentialsError | undefined
}

/**
 * By the `Authorization` header; in the management API else by the cookie of a session. Throws `CredentialsError` and
 * `TooManyAttemptsError` as the authenticator does, and `CsrfError` for changes that another site sent.
 *
 * A read of `/v2` with a token that this registry did not issue is served like one without a token.
 */
export async function identify(
  request: AdmissionRequest,
  need: Need,
  deps: AuthenticationDeps,
): Promise<Identified> {
  if (request.surface === 'management')
    return { principal: await identifyManager(request, deps), ignored: undefined }
  const authorization = header(request, 'authorization')
  try {
    const principal = await deps.authenticator.authenticate(authorization, request.origin)
    return { principal, ignored: undefined }
  } catch (error) {
    if (isIgnorable(error, need)) return { principal: anonymous, ignored: error }
    throw error
  }
}

/**
 * Whether the request is a read with a token of another registry. A push is refused instead: its client wants to act as a
 * certain account, and what anonymous clients push becomes public. So is the ping, by which clients check their credentials.
 */
function isIgnorable(error: unknown, need: Need): error is CredentialsError {
  return error instanceof CredentialsError && error.isForeign && (need === 'pull' || need === 'catalog')
}

async function identifyManager(
  request: AdmissionRequest,
  { authenticator, sessions }: AuthenticationDeps,
): Promise<Principal> {
  const authorization = header(request, 'authorization')
  if (authorization === undefined) return identifyBySession(request, sessions)
  const principal = await authenticator.authenticate(authorization, request.origin)
  if (principal.scopes === undefined) return principal
  throw new UnauthorizedError(
    'this token is for /v2 alone: send name and password, an access token, or open a session',
    'insufficient_scope',
  )
}

async function identifyBySession(
  request: AdmissionRequest,
  sessions: AuthenticationDeps['sessions'],
): Promise<Principal> {
  const session = await sessions.find(header(request, 'cookie'))
  if (session === undefined) return anonymous
  const { method, origin } = request
  const csrfToken = header(request, 'x-csrf-token')
  const { registryUrl } = origin
  checkCsrf(session, { method, registryUrl, origin: header(request, 'origin'), csrfToken })
  return session.principal
}

/** Throws `CredentialsError` when the session ended, or the account or its credential changed. */
export async function requireCurrent(
  request: AdmissionRequest,
  principal: Principal,
  { authenticator, sessions }: AuthenticationDeps,
): Promise<void> {
  const bySession =
    request.surface === 'management' &&
    principal.kind !== 'anonymous' &&
    header(request, 'authorization') === undefined
  const isOpen = !bySession || (await sessions.find(header(request, 'cookie'))) !== undefined
  if (!isOpen || !(await authenticator.isCurrent(principal))) throw endedMeanwhile()
}

/** Throws `CsrfError` for a change that a page of another site asked for. Programs send neither header. */
export function checkSite(request: AdmissionRequest): void {
  const { method, crossOrigin, origin } = request
  const page = header(request, 'origin')
  const site = header(request, 'sec-fetch-site')
  if (crossOrigin === 'always' || (page === undefined && site === undefined)) return
  checkSameSite({ method, origin: page, site, registryUrl: origin.registryUrl })
}
