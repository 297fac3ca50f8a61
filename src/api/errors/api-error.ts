/** What the management API refuses by itself; services refuse with errors of their own. */
import type { ErrorCode } from '../../oci/error-code.ts'
import { OciError } from '../../oci/oci-error.ts'

/** A part of a request that cannot be accepted. */
export interface FieldFault {
  /** `body.name`, `query.limit`, `path.owner`. */
  readonly field: string
  readonly message: string
}

interface Refusal {
  readonly code: ErrorCode
  readonly message: string
  readonly fields?: readonly FieldFault[]
  /** RFC 6750, 3.1. */
  readonly error?: 'invalid_token' | 'insufficient_scope'
  readonly allow?: string
}

export class ApiError extends OciError {
  override readonly name = 'ApiError'
  readonly status: number
  readonly code: ErrorCode
  readonly detail: undefined
  readonly fields: readonly FieldFault[]
  readonly error: Refusal['error']
  /** Of 405: the methods of the path. */
  readonly allow: string | undefined
  constructor(status: number, refusal: Refusal, options?: ErrorOptions) {
    super(refusal.message, options)
    this.status = status
    this.code = refusal.code
    this.fields = refusal.fields ?? []
    this.error = refusal.error
    this.allow = refusal.allow
  }
}

export function notSignedIn(reason?: string): ApiError {
  const message =
    reason ??
    'this needs a login: send name and password (Basic), an access token (Bearer), or open a session'
  return new ApiError(401, { code: 'UNAUTHORIZED', message })
}

export function denied(message: string): ApiError {
  return new ApiError(403, { code: 'DENIED', message })
}

/** What is there is in the way. */
export function conflict(message: string): ApiError {
  return new ApiError(409, { code: 'DENIED', message })
}

/** The same for what does not exist and for what the caller may not see. */
export function notFound(what: string): ApiError {
  return new ApiError(404, {
    code: 'NAME_UNKNOWN',
    message: `there is no ${what} that you may see: check its name or id, or ask an administrator for access`,
  })
}

/** A body of 64 KiB can have 10,000; naming all of them would make a megabyte of each such request. */
const maxFaults = 20

/** Names the first twenty. */
export function invalid(faults: readonly FieldFault[]): ApiError {
  const fields = faults.slice(0, maxFaults)
  const rest = faults.length > fields.length ? `; and ${faults.length - fields.length} more` : ''
  const named = fields.map((fault) => `${fault.field}: ${fault.message}`).join('; ')
  return new ApiError(400, {
    code: 'UNSUPPORTED',
    message: `the request cannot be accepted: ${named}${rest}`,
    fields,
  })
}
