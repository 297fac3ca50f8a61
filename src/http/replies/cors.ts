/**
 * Which pages of other origins may read what this registry answers (Fetch standard, 3.2: the CORS protocol). Browsers ask
 * before they send what changes something or carries credentials, and show a page no reply without these headers.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Admission } from '../../identity/sessions/csrf.ts'
import type { HeaderList } from './reply.ts'

/** What browser tools read of a reply; a page sees few others by itself. */
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
/** Browsers ask again after this time; some cap it at two hours. */
const preflightSeconds = '3600'
const none: HeaderList = []

export class Cors {
  readonly #origins: ReadonlySet<string>

  /** `https://ui.example.com`, or `*` for every page; none: no page of another origin reads anything. */
  constructor(origins: readonly string[] = []) {
    this.#origins = new Set(origins.map((origin) => origin.replace(/\/$/, '')))
  }

  /** Headers of every reply. */
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

  /** What the browser may send, beside `headersFor`; `undefined` when this is no preflight, or of a page that may not ask. */
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
   * Whether a page of another origin may change something. With `*` only with the token of an account, which the page has
   * itself: a password may be one that the browser remembers and adds, and a token without a login is there for every page.
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
