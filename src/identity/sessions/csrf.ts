/**
 * Protects against requests that other sites make a browser send (CSRF). A request that changes something and carries a session
 * cookie must come from a page of this registry: its `Origin` must be this registry, and `X-CSRF-Token` must hold the token that
 * only such a page can read.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { CsrfError } from '../errors.ts'

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

export interface CsrfHeaders {
  readonly method: string
  /** The header `Origin`. */
  readonly origin: string | undefined
  /** The header `X-CSRF-Token`. */
  readonly csrfToken: string | undefined
  /** The URL of this registry as the client sees it. */
  readonly registryUrl: string
}

/** Lives as long as the session, and does not reveal its secret. */
export function csrfTokenOf(sessionSecret: string): string {
  return createHmac('sha256', sessionSecret).update('lading csrf token').digest('base64url')
}

/** Throws `CsrfError` for a request with the cookie of this session that may come from another site. */
export function checkCsrf(session: { readonly csrfToken: string }, headers: CsrfHeaders): void {
  if (safeMethods.has(headers.method)) return
  if (headers.origin === undefined) throw new CsrfError('its Origin header is missing')
  checkOrigin(headers)
  if (!isEqual(headers.csrfToken ?? '', session.csrfToken)) {
    throw new CsrfError('its X-CSRF-Token is missing or does not match the session')
  }
}

/** When a page of another origin may change something. `with-account`: if the request carries a token of an account. */
export type Admission = 'always' | 'with-account' | 'never'

/** Throws `CsrfError` for a page of another site; programs send no `Origin`. */
export function checkOrigin({ origin, registryUrl }: Pick<CsrfHeaders, 'origin' | 'registryUrl'>): void {
  if (origin === undefined || isSameOrigin(origin, registryUrl)) return
  throw new CsrfError(
    'it comes from a page of another site; to allow that page, ask an operator to check http.publicUrl and http.cors.origins',
  )
}

export interface BrowserHeaders extends Pick<CsrfHeaders, 'method' | 'origin' | 'registryUrl'> {
  /** The header `Sec-Fetch-Site`. */
  readonly site: string | undefined
}

/**
 * Checks requests without a session: a browser adds remembered Basic passwords to requests that other sites cause, and an open
 * registry needs none. Browsers name the site in `Origin`, with every request that changes something, and in `Sec-Fetch-Site`;
 * programs send neither. Throws `CsrfError` for a change that a page of another site caused.
 */
export function checkSameSite({ method, origin, site, registryUrl }: BrowserHeaders): void {
  if (safeMethods.has(method)) return
  checkOrigin({ origin, registryUrl })
  if (origin !== undefined || (site !== 'cross-site' && site !== 'same-site')) return
  throw new CsrfError('another site caused it; only pages of this registry and programs may make changes')
}

/** Also accepts a page that was loaded over TLS if a proxy that the operator did not configure terminates it. */
function isSameOrigin(origin: string, registryUrl: string): boolean {
  const [page, own] = [URL.parse(origin), URL.parse(registryUrl)]
  if (page === null || own === null) return false
  if (page.protocol !== 'http:' && page.protocol !== 'https:') return false
  if (page.origin === own.origin) return true
  return page.protocol === 'https:' && own.protocol === 'http:' && page.host === own.host.replace(/:443$/, '')
}

function isEqual(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)]
  return left.length === right.length && timingSafeEqual(left, right)
}
