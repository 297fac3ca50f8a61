/**
 * Requests that other sites make a browser send. A request that changes something and comes with a session's cookie has
 * to come from a page of this registry: it names it as its `Origin`, and sends in `X-CSRF-Token` what only such a page can
 * have read.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { CsrfError } from './errors.ts'

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

export interface CsrfHeaders {
  readonly method: string
  /** The header `Origin`. */
  readonly origin: string | undefined
  /** The header `X-CSRF-Token`. */
  readonly csrfToken: string | undefined
  /** Of this registry as the client sees it. */
  readonly registryUrl: string
}

/** As long as the session; from it the session cannot be told. */
export function csrfTokenOf(sessionSecret: string): string {
  return createHmac('sha256', sessionSecret).update('lading csrf token').digest('base64url')
}

/** Throws `CsrfError` for a request with that session's cookie that may come from another site. */
export function checkCsrf(session: { readonly csrfToken: string }, headers: CsrfHeaders): void {
  if (safeMethods.has(headers.method)) return
  if (headers.origin === undefined) throw new CsrfError('it names no Origin')
  checkOrigin(headers)
  if (!isEqual(headers.csrfToken ?? '', session.csrfToken)) {
    throw new CsrfError('its X-CSRF-Token is missing or not the one of the session')
  }
}

/** For logins, which no session protects yet, and for passwords that browsers remember and add by themselves. Throws `CsrfError` for a page of another site; programs send no `Origin`. */
export function checkOrigin({ origin, registryUrl }: Pick<CsrfHeaders, 'origin' | 'registryUrl'>): void {
  if (origin === undefined || hostOf(origin) === hostOf(registryUrl)) return
  throw new CsrfError('it comes from a page of another site')
}

/** Without the scheme, which a proxy that ends TLS may hide. Of what is no URL, itself. */
function hostOf(url: string): string {
  return URL.parse(url)?.host.replace(/:(?:80|443)$/, '') ?? url
}

function isEqual(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)]
  return left.length === right.length && timingSafeEqual(left, right)
}
