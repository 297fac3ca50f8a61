/**
 * From an error to a reply: the one place that gives refusals a status. `replies` is complete by type, a new code
 * without a row does not compile; `exceptions` names the few classes whose status differs from that of their code.
 */
import { RefreshTokensOffError } from '../../identity/errors.ts'
import type { ErrorCode } from '../../oci/error-code.ts'
import { OciError } from '../../oci/oci-error.ts'
import { NameInvalidError } from '../../oci/repository-name.ts'
import { translateDriverError } from '../../registry/driver-errors.ts'
import {
  InsufficientStorageError,
  ManifestBlobUnknownError,
  PreconditionFailedError,
  UploadOutOfOrderError,
} from '../../registry/errors.ts'
import type { ChallengeError, ChallengeReason } from '../errors.ts'
import {
  BodyStalledError,
  BodyTooSlowError,
  ContentChangedError,
  ExpectationUnknownError,
  FormTooLargeError,
  ManifestTooLargeError,
  RangeUnsatisfiableError,
  RequestMalformedError,
  RouteUnknownError,
  TokenRequestError,
  TooManyTagsError,
  UrlTooLongError,
} from '../errors.ts'
import { formatReceivedRange } from '../headers/content-range.ts'
import { formatUnsatisfiable } from '../headers/range.ts'
import { formatChallenge } from '../headers/www-authenticate.ts'
import type { Challenge } from '../headers/www-authenticate.ts'
import { jsonReply } from './reply.ts'
import type { Reply } from './reply.ts'

interface ErrorRow {
  readonly status: number
  readonly summary: string
}

// oxfmt-ignore
export const replies = {
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
} satisfies Record<ErrorCode, ErrorRow>

type OciErrorClass = new (...args: never[]) => OciError

// oxfmt-ignore
export const exceptions: ReadonlyMap<OciErrorClass, ErrorRow & { code: ErrorCode }> = new Map<OciErrorClass, ErrorRow & { code: ErrorCode }>([
  [RequestMalformedError, { code: 'UNSUPPORTED', status: 400, summary: 'the request is no valid HTTP' }],
  [TokenRequestError, { code: 'UNSUPPORTED', status: 400, summary: 'the token endpoint cannot understand the request' }],
  [RefreshTokensOffError, { code: 'UNSUPPORTED', status: 400, summary: 'refresh tokens are switched off' }],
  [RouteUnknownError, { code: 'UNSUPPORTED', status: 404, summary: 'nothing is at this path' }],
  [BodyStalledError, { code: 'SIZE_INVALID', status: 408, summary: 'the body stopped arriving' }],
  [BodyTooSlowError, { code: 'SIZE_INVALID', status: 408, summary: 'a manifest, a form or a body of the management API took too long to arrive' }],
  [PreconditionFailedError, { code: 'DENIED', status: 412, summary: '`If-Match` or `If-None-Match` does not hold' }],
  [ContentChangedError, { code: 'DENIED', status: 412, summary: '`If-Match` of a GET or HEAD names other content' }],
  [ManifestTooLargeError, { code: 'SIZE_INVALID', status: 413, summary: 'the manifest exceeds the limit that the message names' }],
  [FormTooLargeError, { code: 'SIZE_INVALID', status: 413, summary: 'the form exceeds the limit that the message names' }],
  [UrlTooLongError, { code: 'UNSUPPORTED', status: 414, summary: 'the URL exceeds the limit that the message names' }],
  [TooManyTagsError, { code: 'TAG_INVALID', status: 414, summary: 'more `?tag=` than one request may carry' }],
  [ExpectationUnknownError, { code: 'UNSUPPORTED', status: 417, summary: '`Expect` asks for something other than `100-continue`' }],
  [InsufficientStorageError, { code: 'UNAVAILABLE', status: 507, summary: 'the registry has no space left' }],
])

export interface ErrorContext {
  readonly requestId: string
  readonly method: string
  /** Methods of the path. */
  readonly allow: string
  /** Of the request. */
  readonly path: string
  /** What a 401 asks for. */
  readonly challenges: (reason: ChallengeReason | undefined) => readonly Challenge[]
  /** The client speaks OAuth 2 and looks for `error` (RFC 6749, 5.2); others find the envelope beside it. */
  readonly oauth: boolean
}

interface ErrorEntry {
  readonly code: ErrorCode
  readonly message: string
  readonly detail?: unknown
}

const fresh = ['Cache-Control', 'no-store']
const maxReasonCharacters = 500

/** Of refusals that have no word of their own in OAuth 2. */
const oauthErrors: Readonly<Record<number, string>> = {
  401: 'invalid_grant',
  429: 'temporarily_unavailable',
  503: 'temporarily_unavailable',
  507: 'temporarily_unavailable',
}

/** What clients may know of an error: a refusal, or `undefined` for a fault of ours. */
export function findRefusal(error: unknown): OciError | undefined {
  const translated = translateDriverError(error)
  return translated instanceof OciError ? translated : undefined
}

/** The OCI envelope; a fault of ours shows its request id and nothing else. */
export function errorReply(refusal: OciError | undefined, context: ErrorContext): Reply {
  if (refusal === undefined) {
    const { requestId } = context
    const message = `internal error; the registry's log has the cause under request id ${requestId}`
    const errors = [{ code: 'UNKNOWN' as const, message, detail: { requestId } }]
    return jsonReply(
      replies.UNKNOWN.status,
      { errors, ...(context.oauth && { error: 'server_error' }) },
      fresh,
    )
  }
  const exception = exceptions.get(refusal.constructor as OciErrorClass)
  const status = (exception ?? replies[refusal.code]).status
  const errors = toEntries(refusal, context)
  const reply = jsonReply(status, { errors, ...(context.oauth && oauthMembers(refusal, status)) }, [
    ...fresh,
    ...errorHeaders(refusal, context),
    ...allowHeader(status, context),
  ])
  // containerd begins a push with HEAD, and shows the status line when that is refused.
  return status === 400 && context.method === 'HEAD' ? { ...reply, reason: formatReason(refusal) } : reply
}

/** RFC 9112, 4: one line, here of ASCII only. */
function formatReason({ message }: OciError): string {
  return message.slice(0, maxReasonCharacters).replaceAll(/[^\x20-\x7e]/g, '?')
}

function oauthMembers(refusal: OciError, status: number): { error: string; error_description: string } {
  return { error: findOauthError(refusal, status), error_description: refusal.message }
}

function findOauthError(refusal: OciError, status: number): string {
  if (refusal instanceof TokenRequestError) return refusal.oauthError
  if (refusal instanceof RefreshTokensOffError) return 'unsupported_grant_type'
  return oauthErrors[status] ?? 'invalid_request'
}

/** One entry per missing digest that is named (distribution-spec, error codes), so that a client can push all of them. */
function toEntries(refusal: OciError, { method }: ErrorContext): readonly ErrorEntry[] {
  const { code, message, detail } = refusal
  if (refusal instanceof NameInvalidError && method === 'POST') {
    // Docker repeats an upload for 50 s unless the first code is one that it takes for final.
    return [
      { code: 'DENIED', message, detail },
      { code, message, detail },
    ]
  }
  if (!(refusal instanceof ManifestBlobUnknownError) || refusal.missing.length === 0) {
    return [{ code, message, detail }]
  }
  const entries: ErrorEntry[] = refusal.missing.map((digest) => ({
    code,
    message: `${digest} is not in the repository: push it before the manifest`,
    detail: { digest },
  }))
  const { unnamed } = refusal
  if (unnamed > 0) {
    const message = `${unnamed} more digests are not in the repository: push all that the manifest names before it`
    entries.push({ code, message, detail: { unnamed } })
  }
  return entries
}

function errorHeaders(refusal: OciError, { path, challenges }: ErrorContext): readonly string[] {
  if (refusal.code === 'UNAUTHORIZED') {
    const error = 'error' in refusal ? (refusal.error as ChallengeError | undefined) : undefined
    const reason = error && { error, description: refusal.message }
    return challenges(reason).flatMap((challenge) => ['WWW-Authenticate', formatChallenge(challenge)])
  }
  if (refusal instanceof UploadOutOfOrderError) {
    // A session has one URL: the one that was asked.
    const range = formatReceivedRange(refusal.offset)
    return ['Location', path, 'Range', range, 'Docker-Upload-UUID', refusal.detail.upload]
  }
  if (refusal instanceof RangeUnsatisfiableError) return ['Content-Range', formatUnsatisfiable(refusal.size)]
  const seconds = 'retryAfterSeconds' in refusal ? refusal.retryAfterSeconds : undefined
  return typeof seconds === 'number' ? ['Retry-After', String(seconds)] : []
}

/** RFC 9110, 15.5.6. */
function allowHeader(status: number, { allow }: ErrorContext): readonly string[] {
  return status === replies.UNSUPPORTED.status ? ['Allow', allow] : []
}
