/** Writes an error as the envelope of `/v2`, with the codes and statuses of `edge/error-table.ts`. */
import { describeFault } from '../../edge/refusal.ts'
import type { Refusal } from '../../edge/refusal.ts'
import { errorTable } from '../../edge/error-table.ts'
import { RefreshTokensOffError } from '../../identity/errors.ts'
import type { ErrorCode } from '../../oci/error-code.ts'
import type { OciError } from '../../oci/oci-error.ts'
import { NameInvalidError } from '../../oci/repository-name.ts'
import { ManifestBlobUnknownError, UploadOutOfOrderError } from '../../registry/errors.ts'
import type { ChallengeReason } from '../errors.ts'
import { RangeUnsatisfiableError, TokenRequestError } from '../errors.ts'
import { formatReceivedRange } from '../headers/content-range.ts'
import { formatUnsatisfiable } from '../headers/range.ts'
import { formatChallenge } from '../headers/www-authenticate.ts'
import type { Challenge } from '../headers/www-authenticate.ts'
import { jsonReply } from './reply.ts'
import type { Reply } from './reply.ts'

export interface ErrorContext {
  readonly requestId: string
  readonly method: string
  /** The methods of the path. */
  readonly allow: string
  /** The path of the request. */
  readonly path: string
  /** Returns the challenges of a 401. */
  readonly challenges: (reason: ChallengeReason | undefined) => readonly Challenge[]
  /**
   * Whether the client speaks OAuth 2 and reads `error` (RFC 6749, 5.2). The reply has the envelope too, for other
   * clients.
   */
  readonly oauth: boolean
}

interface ErrorEntry {
  readonly code: ErrorCode
  readonly message: string
  readonly detail?: unknown
}

const fresh = ['Cache-Control', 'no-store']
const maxReasonCharacters = 500

/** The OAuth 2 error for each status, if the refusal has no specific one. */
const oauthErrors: Readonly<Record<number, string>> = {
  401: 'invalid_grant',
  429: 'temporarily_unavailable',
  503: 'temporarily_unavailable',
  507: 'temporarily_unavailable',
}

/** Returns the OCI envelope. An internal error shows only its request id. */
export function errorReply(refusal: Refusal | undefined, context: ErrorContext): Reply {
  if (refusal === undefined) {
    const { requestId } = context
    const errors = [{ code: 'UNKNOWN' as const, message: describeFault(requestId), detail: { requestId } }]
    return jsonReply(
      errorTable.UNKNOWN.status,
      { errors, ...(context.oauth && { error: 'server_error' }) },
      fresh,
    )
  }
  const { error, status } = refusal
  const errors = toEntries(refusal, context)
  const reply = jsonReply(status, { errors, ...(context.oauth && oauthMembers(refusal)) }, [
    ...fresh,
    ...errorHeaders(error, context),
    ...allowHeader(status, context),
  ])
  // containerd begins a push with HEAD, and shows the status line if that is refused.
  return status === 400 && context.method === 'HEAD' ? { ...reply, reason: formatReason(refusal) } : reply
}

/** Formats the reason phrase (RFC 9112, 4): one line, here of ASCII only. */
function formatReason({ message }: Refusal): string {
  return message.slice(0, maxReasonCharacters).replaceAll(/[^\x20-\x7e]/g, '?')
}

function oauthMembers(refusal: Refusal): { error: string; error_description: string } {
  return { error: findOauthError(refusal), error_description: refusal.message }
}

function findOauthError({ error, status }: Refusal): string {
  if (error instanceof TokenRequestError) return error.oauthError
  if (error instanceof RefreshTokensOffError) return 'unsupported_grant_type'
  return oauthErrors[status] ?? 'invalid_request'
}

/**
 * Returns one entry per missing digest that is named (distribution-spec, error codes), so that a client can push all of
 * them.
 */
function toEntries({ error, code, message }: Refusal, { method }: ErrorContext): readonly ErrorEntry[] {
  const { detail } = error
  if (error instanceof NameInvalidError && method === 'POST') {
    // Docker repeats an upload for 50 s unless it treats the first code as final.
    return [
      { code: 'DENIED', message, detail },
      { code, message, detail },
    ]
  }
  if (!(error instanceof ManifestBlobUnknownError) || error.missing.length === 0) {
    return [{ code, message, detail }]
  }
  const entries: ErrorEntry[] = error.missing.map((digest) => ({
    code,
    message: `${digest} is not in the repository: push it before the manifest`,
    detail: { digest },
  }))
  const { unnamed } = error
  if (unnamed > 0) {
    const message = `${unnamed} more digests are not in the repository: push everything that the manifest names first`
    entries.push({ code, message, detail: { unnamed } })
  }
  return entries
}

function errorHeaders(refusal: OciError, { path, challenges }: ErrorContext): readonly string[] {
  if (refusal.code === 'UNAUTHORIZED') {
    const { error } = refusal
    const reason = error && { error, description: refusal.message }
    return challenges(reason).flatMap((challenge) => ['WWW-Authenticate', formatChallenge(challenge)])
  }
  if (refusal instanceof UploadOutOfOrderError) {
    // A session has one URL, which is the path of this request.
    const range = formatReceivedRange(refusal.offset)
    return ['Location', path, 'Range', range, 'Docker-Upload-UUID', refusal.detail.upload]
  }
  if (refusal instanceof RangeUnsatisfiableError) return ['Content-Range', formatUnsatisfiable(refusal.size)]
  const { retryAfterSeconds: seconds } = refusal
  return seconds === undefined ? [] : ['Retry-After', String(seconds)]
}

/** Returns the `Allow` header that a 405 requires (RFC 9110, 15.5.6). */
function allowHeader(status: number, { allow }: ErrorContext): readonly string[] {
  return status === errorTable.UNSUPPORTED.status ? ['Allow', allow] : []
}
