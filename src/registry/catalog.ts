/** Lists the repositories that the caller may pull from, as keyset pages in byte order of the full name. */
import { Turns } from '../lib/turns/turns.ts'
import type { Loop } from '../lib/turns/turns.ts'
import { pageRepositories } from '../metadata/repositories/list-repositories.ts'
import type { Metadata } from '../metadata/metadata.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import { partyOfCaller } from './caller.ts'
import type { Caller, RegistryPolicy } from './caller.ts'
import { createListCursors, isSealed } from './list-cursor.ts'

export interface CatalogQuery {
  /** Any name, existing or not, or `next` of the previous page. */
  readonly last?: string | undefined
  /** Lists only repositories of this owner. */
  readonly owner?: string | undefined
  readonly n: number
  readonly caller: Caller
  readonly signal?: AbortSignal | undefined
}

export interface CatalogPage {
  /** Fewer than `n`, possibly none, if many repositories were read that the caller may not see. */
  readonly repositories: readonly RepositoryName[]
  /** The `last` of the next page; `undefined` on the last page. */
  readonly next: string | undefined
}

export interface Catalog {
  /** Throws `CursorInvalidError`, and the signal's reason. */
  list(query: CatalogQuery): Promise<CatalogPage>
}

export interface CatalogDeps {
  readonly metadata: Metadata
  readonly policy: RegistryPolicy
  /** A page ends early after this many turns of the event loop. */
  readonly maxTurns?: number
  readonly loop?: Loop
}

/** About half a second of work; a page whose repositories are visible takes a few turns. */
const defaultMaxTurns = 200

export function createCatalog({ metadata, policy, maxTurns = defaultMaxTurns, loop }: CatalogDeps): Catalog {
  const cursors = createListCursors(metadata)
  return {
    async list({ last, owner, n, caller, signal }) {
      if (n === 0) return { repositories: [], next: undefined }
      const { names, stoppedAt } = await pageRepositories(metadata.reader, {
        ...(last !== undefined && isSealed(last) ? { from: await cursors.open(last) } : { after: last }),
        owner,
        limit: n + 1,
        visible: await policy.visibleTo(caller.principal),
        turns: new Turns({
          signal,
          party: partyOfCaller(caller),
          maxTurns,
          ...(loop !== undefined && { loop }),
        }),
      })
      const repositories = names.slice(0, n)
      if (names.length > n) return { repositories, next: repositories.at(-1) }
      return { repositories, next: stoppedAt === undefined ? undefined : await cursors.seal(stoppedAt) }
    },
  }
}
