import type { ErrorCode } from './error-code.ts'

/**
 * Base of every refusal that reaches a client. It knows the code of the spec, never a status of HTTP.
 * The message is one line and says what was refused, why, and what to do; `detail` is plain JSON data.
 */
export abstract class OciError extends Error {
  abstract readonly code: ErrorCode
  abstract readonly detail: unknown
}
