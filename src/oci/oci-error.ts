import type { ErrorCode, ErrorKind } from './error-code.ts'

/** RFC 6750, 3.1. Clients drop a stored token only when the challenge has one of these. */
export type ChallengeError = 'invalid_token' | 'insufficient_scope'

/**
 * Base of every refusal that reaches a client, of `/v2` and of the management API. It has a code of the
 * specification, never an HTTP status. The message is one line that says what was refused, why, and what to do; `detail` is
 * plain JSON data.
 */
export abstract class OciError extends Error {
  abstract readonly code: ErrorCode
  abstract readonly detail: unknown
  /** Set where the status differs from the status of the code. */
  declare readonly kind?: ErrorKind | undefined
  /** When a repetition can succeed. */
  declare readonly retryAfterSeconds?: number
  /** Why a token was refused, for the challenge of a 401. */
  declare readonly error?: ChallengeError | undefined
  /** Replaces the message for clients that may not know of the owner in the way. */
  declare readonly discreet?: string | undefined
}
