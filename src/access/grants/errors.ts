/** The reasons why a change of rights is refused. Only callers who may change the rights see them. */
import { quote } from '../../oci/quote.ts'
import { AccountError } from '../../identity/accounts/account-errors.ts'

export class GrantUnknownError extends AccountError {
  override readonly name = 'GrantUnknownError'
  readonly code = 'NAME_UNKNOWN'
  constructor(id: number, options?: ErrorOptions) {
    super(`there is no grant ${id}: list the grants to see their ids`, options)
  }
}

/** The account or team that a grant names does not exist. */
export class GranteeUnknownError extends AccountError {
  override readonly name = 'GranteeUnknownError'
  readonly code = 'NAME_UNKNOWN'
  constructor(grantee: string, options?: ErrorOptions) {
    super(
      `there is no user, robot or team ${quote(grantee)}: write <user>, <owner>+<robot>, or <owner>/<team> for a team of the same owner`,
      options,
    )
  }
}

export class TooManyGrantsError extends AccountError {
  override readonly name = 'TooManyGrantsError'
  readonly code = 'DENIED'
  override readonly kind = 'CONFLICT'
  constructor(what: string, options?: ErrorOptions) {
    super(`${what}: use a pattern for several repositories, or grant to a team`, options)
  }
}

export class RoleUnknownError extends AccountError {
  override readonly name = 'RoleUnknownError'
  readonly code = 'NAME_UNKNOWN'
  constructor(role: string, options?: ErrorOptions) {
    super(`there is no role ${quote(role)}: list the roles to see their names`, options)
  }
}

export class RoleExistsError extends AccountError {
  override readonly name = 'RoleExistsError'
  readonly code = 'DENIED'
  override readonly kind = 'CONFLICT'
  constructor(role: string, options?: ErrorOptions) {
    super(`role ${role} already exists: choose another name`, options)
  }
}

export class RoleInvalidError extends AccountError {
  override readonly name = 'RoleInvalidError'
  readonly code = 'UNSUPPORTED'
  override readonly kind = 'INPUT_INVALID'
  constructor(role: string, reason: string, options?: ErrorOptions) {
    super(`the role ${quote(role)} is refused: ${reason}`, options)
  }
}

/** The role is built in or used by grants. */
export class RoleKeptError extends AccountError {
  override readonly name = 'RoleKeptError'
  readonly code = 'DENIED'
  override readonly kind = 'CONFLICT'
  constructor(role: string, reason: 'built-in' | 'used', options?: ErrorOptions) {
    const why = reason === 'built-in' ? 'it is built in' : 'grants use it; remove them first'
    super(`the role ${role} cannot be deleted: ${why}`, options)
  }
}
