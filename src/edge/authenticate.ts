/**
 * Identifies the caller of a request and rejects changes that pages of other sites request. Admission reads credentials
 * only here.
 */
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
  /** Why the token in the request does not count; a refusal gives this reason. */
  readonly ignored: CredentialsError | undefined
}

/**
 * Identifies the caller by the `Authorization` header or, in the management API without that header, by the session
 * cookie. Throws `CredentialsError` and `TooManyAttemptsError` from the authenticator, and `CsrfError` for changes that
 * another site sent.
 *
 * A read of `/v2` with a token that this registry did not issue is served as if it had no token.
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
 * Whether the request is a read with a token of another registry. A push with one is refused: its client wants to act
 * as a certain account, and content that anonymous clients push becomes public. The ping is refused too, because
 * clients use it to check their credentials.
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
    'this token is valid for /v2 only: send a name and password or an access token, or open a session',
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

/** Throws `CredentialsError` if the session has ended, or the account or its credential has changed. */
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

/**
 * Throws `CsrfError` for a change that a page of another site requests. Programs other than browsers send neither
 * header.
 */
export function checkSite(request: AdmissionRequest): void {
  const { method, crossOrigin, origin } = request
  const page = header(request, 'origin')
  const site = header(request, 'sec-fetch-site')
  if (crossOrigin === 'always' || (page === undefined && site === undefined)) return
  checkSameSite({ method, origin: page, site, registryUrl: origin.registryUrl })
}
