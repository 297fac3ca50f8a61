/** The statuses of what the services below refuse with: a new class of theirs is a row here. */
import {
  AccountError,
  AccountExistsError,
  AccountNameError,
  AccountUnknownError,
  OwnerTakenError,
  PasswordRefusedError,
} from '../auth/account-errors.ts'
import type { ErrorCode } from '../oci/error-code.ts'

type ErrorClass = new (...args: never[]) => Error

export interface ServiceRefusal {
  readonly status: number
  readonly code: ErrorCode
  readonly message: string
}

const rows: readonly (readonly [ErrorClass, status: number, ErrorCode])[] = [
  [AccountUnknownError, 404, 'NAME_UNKNOWN'],
  [AccountExistsError, 409, 'DENIED'],
  [OwnerTakenError, 409, 'DENIED'],
  [AccountNameError, 400, 'NAME_INVALID'],
  [PasswordRefusedError, 400, 'UNSUPPORTED'],
]

/** `undefined` for what is no refusal of a service. */
export function findServiceStatus(error: unknown): ServiceRefusal | undefined {
  if (!(error instanceof Error)) return undefined
  const row = rows.find(([kind]) => error instanceof kind)
  if (row !== undefined) return { status: row[1], code: row[2], message: error.message }
  if (error instanceof AccountError) return { status: 409, code: 'DENIED', message: error.message }
  return undefined
}
