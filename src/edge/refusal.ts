/** Translates an error into the parts that clients may see; both envelopes are written from the result. */
import type { ErrorCode } from '../oci/error-code.ts'
import { OciError } from '../oci/oci-error.ts'
import { translateDriverError } from '../registry/driver-errors.ts'
import { errorTable } from './error-table.ts'
import type { ErrorStatus } from './error-table.ts'

export interface Refusal {
  readonly error: OciError
  readonly status: ErrorStatus
  readonly code: ErrorCode
  readonly message: string
}

/** Returns `undefined` for an internal error, of which clients see only the request id. */
export function findRefusal(thrown: unknown): Refusal | undefined {
  const error = translateDriverError(thrown)
  if (!(error instanceof OciError)) return undefined
  const { code, kind, message, discreet } = error
  return { error, status: errorTable[kind ?? code].status, code, message: discreet ?? message }
}

/** Returns the message for an internal error. */
export function describeFault(requestId: string): string {
  return `internal error; the registry's log has the cause under request id ${requestId}`
}
