/** A page or a file of a page, and its reply: entity tag, caching and conditional requests. */
import type { ApiReply, ApiRequest } from '../api-request.ts'
import { header } from '../../edge/admission-request.ts'
import { entityTag, isUnchanged } from '../input/conditions.ts'

export interface Page {
  readonly body: Uint8Array
  readonly tag: string
  /** Alternating names and values. */
  readonly headers: readonly string[]
}

interface PageContent {
  readonly type: string
  readonly body: string | Uint8Array
  /** Whether the content at this path never changes, because the path contains a hash of it. */
  readonly immutable?: boolean
  readonly headers?: readonly string[]
}

export function createPage({ type, body, immutable = false, headers = [] }: PageContent): Page {
  const tag = entityTag(body)
  const caching = immutable ? 'public, max-age=31536000, immutable' : 'no-cache'
  return {
    body: typeof body === 'string' ? Buffer.from(body) : body,
    tag,
    headers: ['Content-Type', type, 'Cache-Control', caching, 'ETag', tag, ...headers],
  }
}

/** Returns the headers of an HTML page. `sources` are the directives of its policy; the page may load nothing else. */
export function htmlHeaders(sources: string): string[] {
  const policy = `default-src 'none'; ${sources}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
  return ['Content-Security-Policy', policy, 'Referrer-Policy', 'no-referrer']
}

export function pageReply(http: ApiRequest, page: Page, endpoint: ApiReply['endpoint']): ApiReply {
  const { tag, headers, body } = page
  const common = { headers, endpoint, fault: undefined }
  if (isUnchanged(header(http, 'if-none-match'), tag)) return { ...common, status: 304, body: undefined }
  return { ...common, status: 200, body }
}
