/**
 * Every code of an error reply: the codes of the distribution-spec, then older ones that clients know, which are used only
 * where the specification has none. `edge/error-table.ts` gives each a status.
 */
export const errorCodes = [
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'SIZE_INVALID',
  'UNAUTHORIZED',
  'DENIED',
  'UNSUPPORTED',
  'TOOMANYREQUESTS',
  'TAG_INVALID',
  'RANGE_INVALID',
  'PAGINATION_NUMBER_INVALID',
  'UNAVAILABLE',
  'UNKNOWN',
] as const

export type ErrorCode = (typeof errorCodes)[number]

/** Refusals whose status differs from the status of their code, each with its code. Replies carry the code alone. */
export const codeOfKind = {
  REQUEST_MALFORMED: 'UNSUPPORTED',
  TOKEN_REQUEST_INVALID: 'UNSUPPORTED',
  REFRESH_TOKENS_OFF: 'UNSUPPORTED',
  INPUT_INVALID: 'UNSUPPORTED',
  SWITCHED_OFF: 'UNSUPPORTED',
  PATH_UNKNOWN: 'UNSUPPORTED',
  BODY_STALLED: 'SIZE_INVALID',
  BODY_TOO_SLOW: 'SIZE_INVALID',
  CONFLICT: 'DENIED',
  PRECONDITION_FAILED: 'DENIED',
  CONTENT_CHANGED: 'DENIED',
  MANIFEST_TOO_LARGE: 'SIZE_INVALID',
  FORM_TOO_LARGE: 'SIZE_INVALID',
  BODY_TOO_LARGE: 'SIZE_INVALID',
  URL_TOO_LONG: 'UNSUPPORTED',
  TOO_MANY_TAGS: 'TAG_INVALID',
  MEDIA_TYPE_UNSUPPORTED: 'UNSUPPORTED',
  EXPECTATION_UNKNOWN: 'UNSUPPORTED',
  STORAGE_FULL: 'UNAVAILABLE',
} as const satisfies Readonly<Record<string, ErrorCode>>

export type ErrorKind = keyof typeof codeOfKind
