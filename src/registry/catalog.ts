/** Repositories the caller may pull, as keyset pages in byte order of the full name. */
import type { Metadata } from '../metadata/metadata.ts'
import { listRepositories } from '../metadata/list-repositories.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import type { Caller, RegistryPolicy } from './caller.ts'

export interface Catalog {
  list(page: {
    last?: string | undefined
    n: number
    caller: Caller
  }): Promise<{ repositories: readonly RepositoryName[]; more: boolean }>
}

export function createCatalog(deps: { metadata: Metadata; policy: RegistryPolicy }): Catalog {
  return {
    async list({ last, n, caller }) {
      if (n === 0) return { repositories: [], more: false }
      const found = await listRepositories(deps.metadata.reader, {
        limit: n + 1,
        ...(last !== undefined && { after: last }),
        visible: await deps.policy.visibleTo(caller.principal),
      })
      return { repositories: found.slice(0, n), more: found.length > n }
    },
  }
}
