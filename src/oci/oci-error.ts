import type { ErrorCode } from './error-code.ts'

/**
 * Base of every refusal that reaches a client. It has a code of the specification, never an HTTP status.
 * The message is one line that says what was refused, why, and what to do; `detail` is plain JSON data.
 */
export abstract class OciError extends Error {
  abstract readonly code: ErrorCode
  abstract readonly detail: unknown
}
