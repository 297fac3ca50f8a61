/** The errors of changes to owners; pushes also throw them. */
import type { RepositoryName } from '../../oci/repository-name.ts'

export abstract class OwnerError extends Error {}

export class OwnerUnknown extends OwnerError {
  override readonly name = 'OwnerUnknown'
  readonly owner: string
  constructor(owner: string, options?: ErrorOptions) {
    super(`the owner ${owner} does not exist`, options)
    this.owner = owner
  }
}

export class OwnerNameTaken extends OwnerError {
  override readonly name = 'OwnerNameTaken'
  readonly owner: string
  constructor(owner: string, options?: ErrorOptions) {
    super(`an owner ${owner} already exists: choose another name`, options)
    this.owner = owner
  }
}

/** The name is the former name of another owner: it still leads to that owner, and is reserved for it. */
export class OwnerRenamed extends OwnerError {
  override readonly name = 'OwnerRenamed'
  readonly formerName: string
  readonly newName: string
  constructor(names: { readonly formerName: string; readonly newName: string }, options?: ErrorOptions) {
    const { formerName, newName } = names
    super(
      `${formerName} is now called ${newName}, and the former name only serves pulls: use ${newName}`,
      options,
    )
    this.formerName = formerName
    this.newName = newName
  }
}

/** Former names stay reserved, so a limit keeps one owner from using up names that others may want. */
export class TooManyFormerNames extends OwnerError {
  override readonly name = 'TooManyFormerNames'
  constructor(owner: string, max: number, options?: ErrorOptions) {
    super(
      `${owner} has ${max} former names, the most allowed: rename it to one of them, or keep its name`,
      options,
    )
  }
}

export class OwnerNotEmpty extends OwnerError {
  override readonly name = 'OwnerNotEmpty'
  readonly owner: string
  constructor(owner: string, repository: RepositoryName, options?: ErrorOptions) {
    super(
      `${owner} still has repositories, for example ${repository}: delete them first, or delete them together with the owner with --purge (purge=true in the API)`,
      options,
    )
    this.owner = owner
  }
}

/** Deleted repositories still have rows: remove those, then retry. This error never reaches a client. */
export class OwnerHasRemains extends OwnerError {
  override readonly name = 'OwnerHasRemains'
  readonly ownerId: number
  constructor(owner: string, ownerId: number, options?: ErrorOptions) {
    super(`deleted repositories of ${owner} still have rows: remove these before the owner`, options)
    this.ownerId = ownerId
  }
}

export class RepositoryNameTooLong extends OwnerError {
  override readonly name = 'RepositoryNameTooLong'
  readonly repository: string
  constructor(repository: string, max: number, options?: ErrorOptions) {
    super(
      `${repository} would have more than ${max} characters under the new name: choose a shorter name`,
      options,
    )
    this.repository = repository
  }
}
