import { OciError } from './oci-error.ts'
import type { RepositoryName } from './repository-name.ts'

/** The repository does not exist, or was deleted in the meantime. */
export class RepositoryUnknownError extends OciError {
  override readonly name = 'RepositoryUnknownError'
  readonly code = 'NAME_UNKNOWN'
  readonly detail: { repository: RepositoryName }
  /** The default message is for clients that pull and push. */
  constructor(repository: RepositoryName, options: ErrorOptions & { readonly message?: string } = {}) {
    super(options.message ?? `repository ${repository} does not exist: the first push creates it`, options)
    this.detail = { repository }
  }
}
