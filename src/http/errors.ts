/** The errors of the HTTP layer itself; those of the registry are in `registry/errors.ts`. */
import type { ErrorCode } from '../oci/error-code.ts'
import { OciError } from '../oci/oci-error.ts'
import type { ChallengeError } from '../oci/oci-error.ts'
import { quote } from '../oci/quote.ts'

/** An invalid header or query value, or a reference that cannot exist; its code gives the status. */
export class RequestRefusedError extends OciError {
  override readonly name = 'RequestRefusedError'
  readonly code: ErrorCode
  readonly detail: unknown
  constructor(code: ErrorCode, refusal: { message: string; detail?: unknown }) {
    super(refusal.message)
    this.code = code
    this.detail = refusal.detail
  }
}

/** The request breaks a rule of HTTP that the parser does not check. */
export class RequestMalformedError extends OciError {
  override readonly name = 'RequestMalformedError'
  readonly code = 'UNSUPPORTED'
  override readonly kind = 'REQUEST_MALFORMED'
  readonly detail = undefined
}

/** RFC 9110, 10.1.1: the only expectation is `100-continue`. */
export class ExpectationUnknownError extends OciError {
  override readonly name = 'ExpectationUnknownError'
  readonly code = 'UNSUPPORTED'
  override readonly kind = 'EXPECTATION_UNKNOWN'
  readonly detail = undefined
  constructor(expectation: string) {
    super(
      `the expectation ${quote(expectation)} is not supported: send Expect: 100-continue, or no Expect header`,
    )
  }
}

export class RouteUnknownError extends OciError {
  override readonly name = 'RouteUnknownError'
  readonly code = 'UNSUPPORTED'
  override readonly kind = 'PATH_UNKNOWN'
  readonly detail: { path: string }
  constructor(path: string) {
    super(
      `${quote(path)} is not an endpoint of this server: the registry's endpoints start with /v2/<owner>/<image>/`,
    )
    this.detail = { path: path.slice(0, 255) }
  }
}

export class MethodUnsupportedError extends OciError {
  override readonly name = 'MethodUnsupportedError'
  readonly code = 'UNSUPPORTED'
  readonly detail: { method: string; allowed: string }
  constructor(method: string, allowed: string) {
    super(`${method} is not supported here; use one of ${allowed}`)
    this.detail = { method, allowed }
  }
}

/** Why a token was rejected. */
export interface ChallengeReason {
  readonly error: ChallengeError
  /** One line for the person who reads the client's output. */
  readonly description: string
}

export class ManifestTooLargeError extends OciError {
  override readonly name = 'ManifestTooLargeError'
  readonly code = 'SIZE_INVALID'
  override readonly kind = 'MANIFEST_TOO_LARGE'
  readonly detail: { limit: number }
  constructor(limit: number) {
    super(`the manifest is larger than ${limit} bytes, the limit of this registry: store large data in blobs`)
    this.detail = { limit }
  }
}

export class FormTooLargeError extends OciError {
  override readonly name = 'FormTooLargeError'
  readonly code = 'SIZE_INVALID'
  override readonly kind = 'FORM_TOO_LARGE'
  readonly detail: { limit: number }
  constructor(limit: number) {
    super(`the form is larger than ${limit} bytes, the limit of this registry: request fewer scopes at once`)
    this.detail = { limit }
  }
}

/** The body of a management API request exceeds the limit. */
export class BodyTooLargeError extends OciError {
  override readonly name = 'BodyTooLargeError'
  readonly code = 'SIZE_INVALID'
  override readonly kind = 'BODY_TOO_LARGE'
  readonly detail: { limit: number }
  constructor(limit: number) {
    super(
      `the body is larger than ${limit} bytes, the limit of the management API: split the change into several requests`,
    )
    this.detail = { limit }
  }
}

export class UrlTooLongError extends OciError {
  override readonly name = 'UrlTooLongError'
  readonly code = 'UNSUPPORTED'
  override readonly kind = 'URL_TOO_LONG'
  readonly detail: { limit: number }
  constructor(limit: number) {
    super(`the URL is longer than ${limit} bytes, the limit of this registry: split the request into several`)
    this.detail = { limit }
  }
}

/** The request to the token endpoint is malformed or has an unsupported grant type. */
export class TokenRequestError extends OciError {
  override readonly name = 'TokenRequestError'
  readonly code = 'UNSUPPORTED'
  override readonly kind = 'TOKEN_REQUEST_INVALID'
  readonly detail = undefined
  /** The error code of RFC 6749, 5.2. */
  readonly oauthError: 'invalid_request' | 'unsupported_grant_type'
  constructor(oauthError: TokenRequestError['oauthError'], reason: string) {
    super(reason)
    this.oauthError = oauthError
  }
}

export class TooManyTagsError extends OciError {
  override readonly name = 'TooManyTagsError'
  readonly code = 'TAG_INVALID'
  override readonly kind = 'TOO_MANY_TAGS'
  readonly detail: { limit: number; tags: number }
  constructor(tags: number, limit: number) {
    super(
      `the request names ${tags} tags, but at most ${limit} are allowed at once: send the rest in further requests`,
    )
    this.detail = { limit, tags }
  }
}

/** The `If-Match` of a GET or HEAD does not match the current content. */
export class ContentChangedError extends OciError {
  override readonly name = 'ContentChangedError'
  readonly code = 'DENIED'
  override readonly kind = 'CONTENT_CHANGED'
  readonly detail: { current: string }
  constructor(current: string) {
    super(`the current digest is ${current}, which If-Match does not name: retry without If-Match`)
    this.detail = { current }
  }
}

/** The `Range` header selects no byte of the blob. */
export class RangeUnsatisfiableError extends OciError {
  override readonly name = 'RangeUnsatisfiableError'
  readonly code = 'RANGE_INVALID'
  readonly detail: { range: string; size: number }
  readonly size: number
  constructor(range: string, size: number) {
    super(`range ${quote(range)} selects no byte of the blob: it has ${size} bytes`)
    this.size = size
    this.detail = { range: range.slice(0, 100), size }
  }
}

/** The client stopped sending in the middle of a body. */
export class BodyStalledError extends OciError {
  override readonly name = 'BodyStalledError'
  readonly code = 'SIZE_INVALID'
  override readonly kind = 'BODY_STALLED'
  readonly detail: { idleMs: number }
  constructor(idleMs: number) {
    super(
      `no byte of the body arrived for ${idleMs} ms: an upload session keeps the bytes received; GET its URL and continue from there`,
    )
    this.detail = { idleMs }
  }
}

/** A body that is held in memory did not arrive in time; other requests may wait for that memory. */
export class BodyTooSlowError extends OciError {
  override readonly name = 'BodyTooSlowError'
  readonly code = 'SIZE_INVALID'
  override readonly kind = 'BODY_TOO_SLOW'
  readonly detail: { limitMs: number }
  constructor(limitMs: number) {
    super(`the body did not arrive within ${limitMs} ms: send it again over a faster connection`)
    this.detail = { limitMs }
  }
}

/** The connection is closed, so no reply can be sent. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError'
  constructor() {
    super('the client closed the connection')
  }
}
