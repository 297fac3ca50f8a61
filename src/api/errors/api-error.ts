/** Refusals of the management API itself; services throw errors of their own. */
import { NotVisibleError } from '../../edge/errors.ts'
import { codeOfKind } from '../../oci/error-code.ts'
import type { ErrorCode, ErrorKind } from '../../oci/error-code.ts'
import { OciError } from '../../oci/oci-error.ts'
import { DeleteDisabledError } from '../../registry/errors.ts'

/** A part of a request that cannot be accepted. */
export interface FieldFault {
  /** For example `body.name`, `query.limit`, `path.owner`. */
  readonly field: string
  readonly message: string
}

interface Refusal {
  readonly message: string
  readonly fields?: readonly FieldFault[]
  readonly allow?: string
}

export class ApiError extends OciError {
  override readonly name = 'ApiError'
  readonly code: ErrorCode
  override readonly kind: ErrorKind | undefined
  readonly detail: undefined
  readonly fields: readonly FieldFault[]
  /** The methods of the path, for status 405. */
  readonly allow: string | undefined
  constructor(row: ErrorCode | ErrorKind, refusal: Refusal, options?: ErrorOptions) {
    super(refusal.message, options)
    this.kind = isKind(row) ? row : undefined
    this.code = isKind(row) ? codeOfKind[row] : row
    this.fields = refusal.fields ?? []
    this.allow = refusal.allow
  }
}

function isKind(row: ErrorCode | ErrorKind): row is ErrorKind {
  return row in codeOfKind
}

/** Returns the refusal of a change that conflicts with existing data. */
export function conflict(message: string): ApiError {
  return new ApiError('CONFLICT', { message })
}

/** Returns the refusal of a deletion where an operator has switched deletions off. */
export function deletionOff(): ApiError {
  const cause = new DeleteDisabledError()
  return new ApiError('SWITCHED_OFF', { message: cause.message }, { cause })
}

/** Returns the same refusal for a missing resource and for one that the caller may not see. */
export function notFound(what: string): NotVisibleError {
  return new NotVisibleError(what)
}

/** The most faults that a reply names. A body of 64 KiB can have 10,000, which would make a reply of a megabyte. */
const maxFaults = 20

/** Names the first `maxFaults` faults. */
export function invalid(faults: readonly FieldFault[]): ApiError {
  const fields = faults.slice(0, maxFaults)
  const rest = faults.length > fields.length ? `; and ${faults.length - fields.length} more` : ''
  const named = fields.map((fault) => `${fault.field}: ${fault.message}`).join('; ')
  return new ApiError('INPUT_INVALID', {
    message: `the request cannot be accepted: ${named}${rest}`,
    fields,
  })
}
