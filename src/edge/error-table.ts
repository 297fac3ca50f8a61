/**
 * The table of refusals: the status of each code, and of each kind whose status differs from that of its code. A new
 * code or kind without a row does not compile. Both envelopes are written from it: the OCI errors of `/v2` and the
 * problem details of `/api`. `docs/api.md` prints it.
 */
import type { ErrorCode, ErrorKind } from '../oci/error-code.ts'

interface ErrorRow {
  readonly status: number
  readonly summary: string
}

// oxfmt-ignore
export const errorTable = {
  BLOB_UNKNOWN: { status: 404, summary: 'the repository has no such blob' },
  BLOB_UPLOAD_INVALID: { status: 400, summary: 'the upload request cannot be understood' },
  BLOB_UPLOAD_UNKNOWN: { status: 404, summary: 'no such upload session in the repository, or it ended or expired' },
  DIGEST_INVALID: { status: 400, summary: 'a digest is malformed, of an unknown algorithm, or not that of the content' },
  MANIFEST_BLOB_UNKNOWN: { status: 400, summary: 'the manifest names content that is not in the repository; one error per digest, for the first 150' },
  MANIFEST_INVALID: { status: 400, summary: 'the manifest cannot be accepted; the message names the place' },
  MANIFEST_UNKNOWN: { status: 404, summary: 'the repository has no such tag or manifest' },
  NAME_INVALID: { status: 400, summary: 'the repository name is not of the form <owner>/<image>' },
  NAME_UNKNOWN: { status: 404, summary: 'no such repository' },
  SIZE_INVALID: { status: 400, summary: 'more or fewer bytes than announced, by a request or by a descriptor of a manifest' },
  UNAUTHORIZED: { status: 401, summary: 'credentials are missing or do not hold' },
  DENIED: { status: 403, summary: 'the caller may not do this' },
  UNSUPPORTED: { status: 405, summary: 'the operation is not supported here, or switched off' },
  TOOMANYREQUESTS: { status: 429, summary: 'a limit is reached; `Retry-After` says when to come back' },
  TAG_INVALID: { status: 400, summary: 'the tag does not follow the grammar' },
  RANGE_INVALID: { status: 416, summary: 'the chunk does not start where the session stands, or no byte of the range exists' },
  PAGINATION_NUMBER_INVALID: { status: 400, summary: '`n` is no count, or a cursor is not one that this registry gave' },
  UNAVAILABLE: { status: 503, summary: 'database or store cannot be reached; `Retry-After` says when to come back' },
  UNKNOWN: { status: 500, summary: 'a fault of the server; the request id leads to its log' },

  REQUEST_MALFORMED: { status: 400, summary: 'the request is no valid HTTP' },
  TOKEN_REQUEST_INVALID: { status: 400, summary: 'the token endpoint cannot understand the request' },
  REFRESH_TOKENS_OFF: { status: 400, summary: 'refresh tokens are switched off' },
  INPUT_INVALID: { status: 400, summary: 'management API: a value of the request cannot be accepted' },
  SWITCHED_OFF: { status: 403, summary: 'management API: an operator has switched this off' },
  PATH_UNKNOWN: { status: 404, summary: 'nothing is at this path' },
  BODY_STALLED: { status: 408, summary: 'the body stopped arriving' },
  BODY_TOO_SLOW: { status: 408, summary: 'a manifest, a form or a body of the management API took too long to arrive' },
  CONFLICT: { status: 409, summary: 'management API: the change conflicts with what exists' },
  PRECONDITION_FAILED: { status: 412, summary: '`If-Match` or `If-None-Match` does not hold' },
  CONTENT_CHANGED: { status: 412, summary: '`If-Match` of a GET or HEAD names other content' },
  MANIFEST_TOO_LARGE: { status: 413, summary: 'the manifest exceeds the limit that the message names' },
  FORM_TOO_LARGE: { status: 413, summary: 'the form exceeds the limit that the message names' },
  BODY_TOO_LARGE: { status: 413, summary: 'management API: the body exceeds the limit that the message names' },
  URL_TOO_LONG: { status: 414, summary: 'the URL exceeds the limit that the message names' },
  TOO_MANY_TAGS: { status: 414, summary: 'more `?tag=` than one request may carry' },
  MEDIA_TYPE_UNSUPPORTED: { status: 415, summary: 'management API: the body is not `application/json`' },
  EXPECTATION_UNKNOWN: { status: 417, summary: '`Expect` asks for something other than `100-continue`' },
  STORAGE_FULL: { status: 507, summary: 'the registry has no space left' },
} as const satisfies Record<ErrorCode | ErrorKind, ErrorRow>

export type ErrorStatus = (typeof errorTable)[keyof typeof errorTable]['status']
