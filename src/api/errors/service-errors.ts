/** The statuses of what the services below refuse with: a new class of theirs is a row here. */
import {
  AccessTokenRefusedError,
  AccessTokenUnknownError,
  TokenForTokenError,
} from '../../identity/access-tokens/access-token-errors.ts'
import {
  AccountError,
  AccountNameError,
  AccountUnknownError,
  OwnerUnknownError,
  PasswordRefusedError,
  RegistrationOffError,
  RobotNameError,
  RobotUnknownError,
} from '../../identity/accounts/account-errors.ts'
import { PatternInvalidError } from '../../access/patterns/repository-pattern.ts'
import {
  GranteeUnknownError,
  GrantUnknownError,
  RoleInvalidError,
  RoleUnknownError,
} from '../../access/grants/errors.ts'
import type { ErrorCode } from '../../oci/error-code.ts'
import {
  MemberUnknownError,
  NameRefusedError,
  OrganizationUnknownError,
  RepositoryUnknownError,
  TeamUnknownError,
} from '../../organizations/errors.ts'
import { CursorInvalidError, DeleteDisabledError } from '../../registry/errors.ts'

type ErrorClass = new (...args: never[]) => Error

export interface ServiceRefusal {
  readonly status: number
  readonly code: ErrorCode
  readonly message: string
}

/** What is not named here is in the way of something that is there (409). */
const rows: readonly (readonly [ErrorClass, status: number, ErrorCode])[] = [
  [AccountUnknownError, 404, 'NAME_UNKNOWN'],
  [OwnerUnknownError, 404, 'NAME_UNKNOWN'],
  [RobotUnknownError, 404, 'NAME_UNKNOWN'],
  [AccessTokenUnknownError, 404, 'NAME_UNKNOWN'],
  [GrantUnknownError, 404, 'NAME_UNKNOWN'],
  [GranteeUnknownError, 404, 'NAME_UNKNOWN'],
  [RoleUnknownError, 404, 'NAME_UNKNOWN'],
  [OrganizationUnknownError, 404, 'NAME_UNKNOWN'],
  [MemberUnknownError, 404, 'NAME_UNKNOWN'],
  [TeamUnknownError, 404, 'NAME_UNKNOWN'],
  [RepositoryUnknownError, 404, 'NAME_UNKNOWN'],
  [CursorInvalidError, 400, 'PAGINATION_NUMBER_INVALID'],
  [DeleteDisabledError, 403, 'UNSUPPORTED'],
  [NameRefusedError, 400, 'NAME_INVALID'],
  [TokenForTokenError, 403, 'DENIED'],
  [RegistrationOffError, 403, 'UNSUPPORTED'],
  [AccountNameError, 400, 'NAME_INVALID'],
  [RobotNameError, 400, 'NAME_INVALID'],
  [PatternInvalidError, 400, 'NAME_INVALID'],
  [PasswordRefusedError, 400, 'UNSUPPORTED'],
  [AccessTokenRefusedError, 400, 'UNSUPPORTED'],
  [RoleInvalidError, 400, 'UNSUPPORTED'],
]

/** `undefined` for what is no refusal of a service. */
export function findServiceStatus(error: unknown): ServiceRefusal | undefined {
  if (!(error instanceof Error)) return undefined
  const row = rows.find(([kind]) => error instanceof kind)
  const message = (error instanceof AccountError ? error.discreet : undefined) ?? error.message
  if (row !== undefined) return { status: row[1], code: row[2], message }
  if (error instanceof AccountError) return { status: 409, code: 'DENIED', message }
  return undefined
}
