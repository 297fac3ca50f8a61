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
  BLOB_UNKNOWN: { status: 404, summary: 'the blob is not in the repository' },
  BLOB_UPLOAD_INVALID: { status: 400, summary: 'the upload request is malformed' },
  BLOB_UPLOAD_UNKNOWN: { status: 404, summary: 'the upload session is not in the repository, or has ended or expired' },
  DIGEST_INVALID: { status: 400, summary: 'a digest is malformed, uses an unknown algorithm, or does not match the content' },
  MANIFEST_BLOB_UNKNOWN: { status: 400, summary: 'the manifest names content that is not in the repository; one error per digest, for the first 150' },
  MANIFEST_INVALID: { status: 400, summary: 'the manifest is invalid; the message says where' },
  MANIFEST_UNKNOWN: { status: 404, summary: 'the tag or manifest is not in the repository' },
  NAME_INVALID: { status: 400, summary: 'the repository name does not have the form <owner>/<image>' },
  NAME_UNKNOWN: { status: 404, summary: 'the repository does not exist, or the caller may not see it' },
  SIZE_INVALID: { status: 400, summary: 'the content is larger or smaller than the request or a descriptor says' },
  UNAUTHORIZED: { status: 401, summary: 'credentials are missing or invalid' },
  DENIED: { status: 403, summary: 'the caller may not do this' },
  UNSUPPORTED: { status: 405, summary: 'the operation is not supported, or is switched off' },
  TOOMANYREQUESTS: { status: 429, summary: 'a limit is reached; `Retry-After` says when to retry' },
  TAG_INVALID: { status: 400, summary: 'the tag does not follow the grammar' },
  RANGE_INVALID: { status: 416, summary: 'the chunk does not start at the offset of the session, or the range selects no byte' },
  PAGINATION_NUMBER_INVALID: { status: 400, summary: '`n` is not a number, or the cursor is not from this registry' },
  UNAVAILABLE: { status: 503, summary: 'the registry cannot reach its database or store; `Retry-After` says when to retry' },
  UNKNOWN: { status: 500, summary: 'an internal error; the log lines with the request id give the cause' },

  REQUEST_MALFORMED: { status: 400, summary: 'the request is not valid HTTP' },
  TOKEN_REQUEST_INVALID: { status: 400, summary: 'the request to the token endpoint is malformed' },
  REFRESH_TOKENS_OFF: { status: 400, summary: 'refresh tokens are switched off' },
  INPUT_INVALID: { status: 400, summary: 'management API: a value in the request is invalid' },
  SWITCHED_OFF: { status: 403, summary: 'management API: an operator has switched this off' },
  PATH_UNKNOWN: { status: 404, summary: 'the path is not an endpoint' },
  BODY_STALLED: { status: 408, summary: 'the client stopped sending the body' },
  BODY_TOO_SLOW: { status: 408, summary: 'a manifest, a form or a body of the management API took too long to arrive' },
  CONFLICT: { status: 409, summary: 'management API: the change conflicts with what exists' },
  PRECONDITION_FAILED: { status: 412, summary: '`If-Match` or `If-None-Match` does not hold' },
  CONTENT_CHANGED: { status: 412, summary: '`If-Match` of a GET or HEAD names other content' },
  MANIFEST_TOO_LARGE: { status: 413, summary: 'the manifest exceeds the limit that the message names' },
  FORM_TOO_LARGE: { status: 413, summary: 'the form exceeds the limit that the message names' },
  BODY_TOO_LARGE: { status: 413, summary: 'management API: the body exceeds the limit that the message names' },
  URL_TOO_LONG: { status: 414, summary: 'the URL exceeds the limit that the message names' },
  TOO_MANY_TAGS: { status: 414, summary: 'the request has more `?tag=` than allowed' },
  MEDIA_TYPE_UNSUPPORTED: { status: 415, summary: 'management API: the body is not `application/json`' },
  EXPECTATION_UNKNOWN: { status: 417, summary: '`Expect` asks for something other than `100-continue`' },
  STORAGE_FULL: { status: 507, summary: 'the registry has no space left' },
} as const satisfies Record<ErrorCode | ErrorKind, ErrorRow>

export type ErrorStatus = (typeof errorTable)[keyof typeof errorTable]['status']
