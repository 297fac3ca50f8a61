/** Why the owners of names are not as someone wants them; what changes owners throws these, and so do pushes. */
import type { RepositoryName } from '../../oci/repository-name.ts'

export abstract class OwnerError extends Error {}

export class OwnerUnknown extends OwnerError {
  override readonly name = 'OwnerUnknown'
  readonly owner: string
  constructor(owner: string, options?: ErrorOptions) {
    super(`there is no owner ${owner}`, options)
    this.owner = owner
  }
}

export class OwnerNameTaken extends OwnerError {
  override readonly name = 'OwnerNameTaken'
  readonly owner: string
  constructor(owner: string, options?: ErrorOptions) {
    super(`there is already an owner ${owner}: choose another name`, options)
    this.owner = owner
  }
}

/** The name was given up by a rename: it leads to the owner who had it, and nobody else can have it. */
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

/** Each stays reserved: one owner must not take names from all others. */
export class TooManyFormerNames extends OwnerError {
  override readonly name = 'TooManyFormerNames'
  constructor(owner: string, max: number, options?: ErrorOptions) {
    super(
      `${owner} has ${max} former names, as many as can be: rename it to one of them, or leave its name`,
      options,
    )
  }
}

export class OwnerNotEmpty extends OwnerError {
  override readonly name = 'OwnerNotEmpty'
  readonly owner: string
  constructor(owner: string, repository: RepositoryName, options?: ErrorOptions) {
    super(
      `${owner} has repositories, ${repository} among them: delete them first, or delete all of it at once with --purge (purge=true in the API)`,
      options,
    )
    this.owner = owner
  }
}

/** Repositories that were deleted still have rows; remove those, then try again. It never leaves the service. */
export class OwnerHasRemains extends OwnerError {
  override readonly name = 'OwnerHasRemains'
  readonly ownerId: number
  constructor(owner: string, ownerId: number, options?: ErrorOptions) {
    super(`deleted repositories of ${owner} still have rows, which have to go before the owner`, options)
    this.ownerId = ownerId
  }
}

export class RepositoryNameTooLong extends OwnerError {
  override readonly name = 'RepositoryNameTooLong'
  readonly repository: string
  constructor(repository: string, max: number, options?: ErrorOptions) {
    super(
      `${repository} would have more than ${max} characters under the new name: choose a shorter one`,
      options,
    )
    this.repository = repository
  }
}
