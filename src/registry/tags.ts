/** Tags of a repository as keyset pages in byte order (distribution-spec end-8). */
import type { Metadata } from '../metadata/metadata.ts'
import { findRepository } from '../metadata/repositories.ts'
import { listTags } from '../metadata/tags.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import type { TagName } from '../oci/tag-name.ts'
import { RepositoryUnknownError } from './errors.ts'

export interface Tags {
  /**
   * Up to `n` tags after `last`, whether or not a tag of that name exists; `more` when others follow.
   * Throws `RepositoryUnknownError`.
   */
  list(
    repository: RepositoryName,
    page: { last?: string | undefined; n: number },
  ): Promise<{ tags: readonly TagName[]; more: boolean }>
}

export function createTags(metadata: Metadata): Tags {
  return {
    async list(name, { last, n }) {
      const repository = await findRepository(metadata.reader, name)
      if (repository === undefined) throw new RepositoryUnknownError(name)
      if (n === 0) return { tags: [], more: false }
      const page = { repositoryId: repository.id, limit: n + 1, ...(last !== undefined && { after: last }) }
      const tags = await listTags(metadata.reader, page)
      return { tags: tags.slice(0, n), more: tags.length > n }
    },
  }
}
