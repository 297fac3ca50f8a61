import type { ErrorCode, ErrorKind } from './error-code.ts'

/** RFC 6750, 3.1. Clients drop a stored token only when the challenge has one of these. */
export type ChallengeError = 'invalid_token' | 'insufficient_scope'

/**
 * The base class of every refusal sent to a client, by `/v2` or by the management API. It has an error code from the
 * specification but no HTTP status. The message is one line that says what was refused, why, and what to do; `detail` is plain
 * JSON data.
 */
export abstract class OciError extends Error {
  abstract readonly code: ErrorCode
  abstract readonly detail: unknown
  /** Set if the HTTP status differs from the usual one for the code. */
  declare readonly kind?: ErrorKind | undefined
  /** When a retry can succeed. */
  declare readonly retryAfterSeconds?: number
  /** Why a token was refused, for the challenge of a 401. */
  declare readonly error?: ChallengeError | undefined
  /** The message for clients that may not know of the owner whose name conflicts. */
  declare readonly discreet?: string | undefined
}
