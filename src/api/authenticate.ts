/** Who asks, and whether a browser was made to ask: the one place of the API that looks at credentials. */
import type { Principal } from '../auth/principal.ts'
import { ApiError, denied } from './api-error.ts'
import type { ApiRequest } from './api-request.ts'
import type { ApiServices } from './services.ts'

const changing: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** Throws what the authenticator throws, and `ApiError` for requests that another site sent. */
export async function authenticate(request: ApiRequest, services: ApiServices): Promise<Principal> {
  checkSameSite(request)
  const principal = await services.authenticator.authenticate(
    header(request, 'authorization'),
    request.origin,
  )
  if (principal.scopes === undefined) return principal
  throw new ApiError(401, {
    code: 'UNAUTHORIZED',
    message: 'this token is for /v2 alone: send name and password, an access token, or open a session',
    error: 'insufficient_scope',
  })
}

/**
 * A browser adds what it remembers, cookies and Basic passwords, to requests that other sites make it send. It also says
 * so: in `Origin`, with every request that changes something, and in `Sec-Fetch-Site`. Programs send neither.
 */
export function checkSameSite(request: ApiRequest): void {
  if (!changing.has(request.method)) return
  const origin = header(request, 'origin')
  const site = header(request, 'sec-fetch-site')
  const foreign =
    origin === undefined ? site === 'cross-site' || site === 'same-site' : !isOwn(origin, request)
  if (foreign) {
    throw denied(
      'another site sent this request: changes are taken from pages of this registry and from programs only',
    )
  }
}

function isOwn(origin: string, { registryUrl }: ApiRequest): boolean {
  return origin.toLowerCase() === registryUrl.toLowerCase()
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
