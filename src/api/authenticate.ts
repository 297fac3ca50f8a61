/** Who asks, and whether a browser was made to ask: the one place of the API that looks at credentials. */
import { checkCsrf, checkSameSite } from '../identity/sessions/csrf.ts'
import { endedMeanwhile } from '../identity/errors.ts'
import type { Principal } from '../identity/principal.ts'
import { anonymous } from '../identity/principal.ts'
import { ApiError } from './errors/api-error.ts'
import type { ApiRequest } from './api-request.ts'
import type { Access } from './endpoint.ts'
import type { ApiServices } from './services.ts'

/**
 * By the `Authorization` header, else by the cookie of a session; rows that are public ask nobody. Throws what these throw
 * for credentials that do not hold, and `CsrfError` for changes that another site sent.
 */
export async function authenticate(
  request: ApiRequest,
  access: Access,
  services: ApiServices,
): Promise<Principal> {
  const { method, registryUrl, admission } = request
  const [origin, site] = [header(request, 'origin'), header(request, 'sec-fetch-site')]
  // Rows that are public look at no token.
  const isAdmitted = admission === 'always' || (admission === 'with-account' && access !== 'public')
  if (!isAdmitted) checkSameSite({ method, origin, site, registryUrl })
  if (access === 'public') return anonymous
  const authorization = header(request, 'authorization')
  if (authorization === undefined) return authenticateSession(request, services)
  const principal = await services.authenticator.authenticate(authorization, request.origin)
  if (principal.scopes === undefined) return principal
  throw new ApiError('UNAUTHORIZED', {
    message: 'this token is for /v2 alone: send name and password, an access token, or open a session',
    error: 'insufficient_scope',
  })
}

/**
 * Checks again, while a long reply is written, what proved the principal at its start. Throws `CredentialsError` when the
 * session ended, or the account or its credential changed.
 */
export async function requireCurrent(
  request: ApiRequest,
  principal: Principal,
  { authenticator, sessions }: ApiServices,
): Promise<void> {
  const bySession = principal.kind !== 'anonymous' && header(request, 'authorization') === undefined
  const isOpen = !bySession || (await sessions.find(header(request, 'cookie'))) !== undefined
  if (!isOpen || !(await authenticator.isCurrent(principal))) throw endedMeanwhile()
}

async function authenticateSession(request: ApiRequest, { sessions }: ApiServices): Promise<Principal> {
  const session = await sessions.find(header(request, 'cookie'))
  if (session === undefined) return anonymous
  const { method, registryUrl } = request
  const csrfToken = header(request, 'x-csrf-token')
  checkCsrf(session, { method, registryUrl, origin: header(request, 'origin'), csrfToken })
  return session.principal
}

export function header({ headers }: ApiRequest, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : value?.join(', ')
}

/** Scripts in browsers: a Basic challenge would open the browser's own dialog over the page. */
export function isFromScript(request: ApiRequest): boolean {
  const mode = header(request, 'sec-fetch-mode')
  return mode !== undefined && mode !== 'navigate'
}
