/**
 * Decides which pages of other origins may read the replies of this registry (Fetch standard, 3.2: the CORS protocol). Browsers
 * ask before they send a request that changes something or carries credentials, and let no page read a reply without these
 * headers.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Admission } from '../../identity/sessions/csrf.ts'
import type { HeaderList } from './reply.ts'

/** The reply headers that browser tools read; by default a page sees only a few others. */
const exposedHeaders = [
  'Accept-Ranges',
  'Content-Length',
  'Content-Range',
  'Docker-Content-Digest',
  'Docker-Distribution-API-Version',
  'Docker-Upload-UUID',
  'ETag',
  'Link',
  'Location',
  'OCI-Filters-Applied',
  'OCI-Subject',
  'Range',
  'Retry-After',
  'WWW-Authenticate',
  'X-Request-Id',
].join(', ')

const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE'
/** How long browsers may keep the answer to a preflight; some cap it at two hours. */
const preflightSeconds = '3600'
const none: HeaderList = []

export class Cors {
  readonly #origins: ReadonlySet<string>

  /**
   * Takes origins such as `https://ui.example.com`, or `*` for every page. Without any, no page of another origin can
   * read replies.
   */
  constructor(origins: readonly string[] = []) {
    this.#origins = new Set(origins.map((origin) => origin.replace(/\/$/, '')))
  }

  /** Returns the CORS headers of every reply. */
  headersFor({ origin }: IncomingHttpHeaders): HeaderList {
    if (this.#origins.size === 0) return none
    if (this.#origins.has('*')) return ['Access-Control-Allow-Origin', '*', ...exposed]
    const vary = ['Vary', 'Origin']
    if (origin === undefined || !this.#origins.has(origin)) return vary
    return [
      ...vary,
      'Access-Control-Allow-Origin',
      origin,
      'Access-Control-Allow-Credentials',
      'true',
      ...exposed,
    ]
  }

  /**
   * Returns the headers of a preflight reply, in addition to `headersFor`; `undefined` if the request is not a
   * preflight or its page is not allowed.
   */
  preflightHeaders(method: string, headers: IncomingHttpHeaders): HeaderList | undefined {
    if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return undefined
    const { origin, 'access-control-request-headers': wanted } = headers
    if (origin === undefined || !this.#isListed(origin)) return undefined
    return [
      'Access-Control-Allow-Methods',
      methods,
      ...(wanted === undefined ? [] : ['Access-Control-Allow-Headers', wanted]),
      'Access-Control-Max-Age',
      preflightSeconds,
    ]
  }

  /**
   * Whether a page of another origin may change something. With `*`, only with the token of an account, which the page
   * itself must have: the browser may add a password that it remembers, and any page can get a token without a login.
   */
  admits({ origin, authorization }: IncomingHttpHeaders): Admission {
    if (origin === undefined) return 'never'
    if (this.#origins.has(origin)) return 'always'
    return this.#origins.has('*') && /^bearer /i.test(authorization ?? '') ? 'with-account' : 'never'
  }

  #isListed(origin: string): boolean {
    return this.#origins.has('*') || this.#origins.has(origin)
  }
}

const exposed: HeaderList = ['Access-Control-Expose-Headers', exposedHeaders]
