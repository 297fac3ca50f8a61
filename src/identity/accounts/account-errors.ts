/** Errors of creating and changing accounts, for the management API and the command line. */
import { OciError } from '../../oci/oci-error.ts'
import { quote } from '../../oci/quote.ts'

export abstract class AccountError extends OciError {
  readonly detail: unknown = undefined
  override readonly discreet: string | undefined
  constructor(message: string, options: ErrorOptions & { readonly discreet?: string } = {}) {
    super(message, options)
    this.discreet = options.discreet
  }
}

/** Returns the same text for a user, an organization and a former name, for callers who may not know of all owners. */
export function describeTaken(name: string): string {
  return `the name ${name} is taken: choose another name`
}

export class AccountNameError extends AccountError {
  override readonly name = 'AccountNameError'
  readonly code = 'NAME_INVALID'
  constructor(account: string, reason: string, options?: ErrorOptions & { readonly discreet?: string }) {
    super(`${quote(account)} cannot be the name of a user: ${reason}`, options)
  }
}

export class PasswordRefusedError extends AccountError {
  override readonly name = 'PasswordRefusedError'
  readonly code = 'UNSUPPORTED'
  override readonly kind = 'INPUT_INVALID'
  constructor(rule: string, options?: ErrorOptions) {
    super(`the password is refused: ${rule}`, options)
  }
}

export class AccountExistsError extends AccountError {
  override readonly name = 'AccountExistsError'
  readonly code = 'DENIED'
  override readonly kind = 'CONFLICT'
  constructor(account: string, options?: ErrorOptions & { readonly discreet?: string }) {
    super(`user ${account} already exists: choose another name, or set a new password`, options)
  }
}

export class AccountUnknownError extends AccountError {
  override readonly name = 'AccountUnknownError'
  readonly code = 'NAME_UNKNOWN'
  constructor(account: string, options?: ErrorOptions) {
    super(`there is no user ${quote(account)}: check the name, or create the user first`, options)
  }
}

export class RegistrationOffError extends AccountError {
  override readonly name = 'RegistrationOffError'
  readonly code = 'UNSUPPORTED'
  override readonly kind = 'SWITCHED_OFF'
  constructor(options?: ErrorOptions) {
    super(
      'only administrators create users here: ask one, or ask an operator to set auth.selfRegistration',
      options,
    )
  }
}

/** The name is a former name of an owner: it still serves pulls, so no other owner can have it. */
export class FormerNameError extends AccountError {
  override readonly name = 'FormerNameError'
  readonly code = 'DENIED'
  override readonly kind = 'CONFLICT'
  constructor(account: string, newName: string, options?: ErrorOptions & { readonly discreet?: string }) {
    super(
      `${account} is a former name of ${newName}, which still serves pulls under it: choose another name`,
      options,
    )
  }
}

/** The new user would take over the repositories of an organization. */
export class OwnerTakenError extends AccountError {
  override readonly name = 'OwnerTakenError'
  readonly code = 'DENIED'
  override readonly kind = 'CONFLICT'
  constructor(account: string, options?: ErrorOptions) {
    super(
      `organization ${account} exists, and the user would own its repositories: choose another name, or confirm with --adopt (adopt in the API)`,
      options,
    )
  }
}

export class RobotNameError extends AccountError {
  override readonly name = 'RobotNameError'
  readonly code = 'NAME_INVALID'
  constructor(robot: string, reason: string, options?: ErrorOptions) {
    super(`${quote(robot)} cannot be the name of a robot: ${reason}`, options)
  }
}

export class RobotExistsError extends AccountError {
  override readonly name = 'RobotExistsError'
  readonly code = 'DENIED'
  override readonly kind = 'CONFLICT'
  constructor(robot: string, options?: ErrorOptions) {
    super(`robot ${robot} already exists: choose another name, or create a token for the robot`, options)
  }
}

export class RobotUnknownError extends AccountError {
  override readonly name = 'RobotUnknownError'
  readonly code = 'NAME_UNKNOWN'
  constructor(robot: string, options?: ErrorOptions) {
    super(`there is no robot ${quote(robot)}: check the name, or create it first`, options)
  }
}

/** The owner does not exist. */
export class OwnerUnknownError extends AccountError {
  override readonly name = 'OwnerUnknownError'
  readonly code = 'NAME_UNKNOWN'
  constructor(owner: string, options?: ErrorOptions) {
    super(`there is no user or organization ${quote(owner)}: check the name, or create it first`, options)
  }
}

/** The password was changed since the request began. */
export class PasswordChangedError extends AccountError {
  override readonly name = 'PasswordChangedError'
  readonly code = 'DENIED'
  override readonly kind = 'CONFLICT'
  constructor(options?: ErrorOptions) {
    super('the password was changed in the meantime: log in with the new one', options)
  }
}

export class LastAdministratorError extends AccountError {
  override readonly name = 'LastAdministratorError'
  readonly code = 'DENIED'
  override readonly kind = 'CONFLICT'
  constructor(account: string, options?: ErrorOptions) {
    super(`${account} is the last administrator: promote another user first`, options)
  }
}
