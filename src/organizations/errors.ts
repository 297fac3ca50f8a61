/** Errors of managing owners, teams and members; shown to the callers who may change them. */
import { AccountError, describeTaken, OwnerUnknownError } from '../identity/accounts/account-errors.ts'
import {
  OwnerNameTaken,
  OwnerNotEmpty,
  OwnerRenamed,
  OwnerUnknown,
  RepositoryNameTooLong,
  TooManyFormerNames,
} from '../metadata/owners/owner-errors.ts'
import { quote } from '../oci/quote.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import { RepositoryUnknownError } from '../oci/repository-unknown-error.ts'

/** The name is invalid or reserved, or makes repository names too long. */
export class NameRefusedError extends AccountError {
  override readonly name = 'NameRefusedError'
  readonly code = 'NAME_INVALID'
}

/** Another owner has or had the name, or the owner has too many former names. */
export class NameTakenError extends AccountError {
  override readonly name = 'NameTakenError'
  readonly code = 'DENIED'
  override readonly kind = 'CONFLICT'
}

export class OwnerNotEmptyError extends AccountError {
  override readonly name = 'OwnerNotEmptyError'
  readonly code = 'DENIED'
  override readonly kind = 'CONFLICT'
}

export class OrganizationUnknownError extends AccountError {
  override readonly name = 'OrganizationUnknownError'
  readonly code = 'NAME_UNKNOWN'
  constructor(organization: string, options?: ErrorOptions) {
    super(`there is no organization ${quote(organization)}: check the name, or create it first`, options)
  }
}

export class TeamUnknownError extends AccountError {
  override readonly name = 'TeamUnknownError'
  readonly code = 'NAME_UNKNOWN'
  constructor(team: string, options?: ErrorOptions) {
    super(`there is no team ${quote(team)}: check the name, or create it first`, options)
  }
}

/** The account is not a member of the organization or team. */
export class MemberUnknownError extends AccountError {
  override readonly name = 'MemberUnknownError'
  readonly code = 'NAME_UNKNOWN'
  constructor(account: string, where: string, options?: ErrorOptions) {
    super(`${quote(account)} is not a member of ${where}`, options)
  }
}

export function repositoryUnknown(repository: RepositoryName): RepositoryUnknownError {
  const message = `there is no repository ${repository}; lading repository list shows the repositories`
  return new RepositoryUnknownError(repository, { message })
}

/** Translates errors of the database about owners into errors for callers. */
export function translateOwnerError(error: unknown): unknown {
  if (error instanceof OwnerUnknown) return new OwnerUnknownError(error.owner, { cause: error })
  if (error instanceof OwnerNameTaken) {
    const discreet = describeTaken(error.owner)
    return new NameTakenError(error.message, { cause: error, discreet })
  }
  if (error instanceof OwnerRenamed) {
    const { formerName, newName } = error
    const message = `${formerName} is a former name of ${newName}, which still serves pulls under it: choose another name`
    return new NameTakenError(message, { cause: error, discreet: describeTaken(formerName) })
  }
  if (error instanceof TooManyFormerNames) return new NameTakenError(error.message, { cause: error })
  if (error instanceof OwnerNotEmpty) return new OwnerNotEmptyError(error.message, { cause: error })
  if (error instanceof RepositoryNameTooLong) return new NameRefusedError(error.message, { cause: error })
  return error
}
