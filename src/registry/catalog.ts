/** Repositories the caller may pull, as keyset pages in byte order of the full name. */
import { principalId } from '../identity/principal.ts'
import { Turns } from '../lib/turns/turns.ts'
import type { Loop } from '../lib/turns/turns.ts'
import { pageRepositories } from '../metadata/repositories/list-repositories.ts'
import type { Metadata } from '../metadata/metadata.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import type { Caller, RegistryPolicy } from './caller.ts'
import { createListCursors, isSealed } from './list-cursor.ts'

export interface CatalogQuery {
  /** A name, whether it exists or not, or what `next` of the page before said. */
  readonly last?: string | undefined
  /** Below this owner only. */
  readonly owner?: string | undefined
  readonly n: number
  readonly caller: Caller
  readonly signal?: AbortSignal | undefined
  /** Parties take turns; by default the principal is one. */
  readonly party?: string | undefined
}

export interface CatalogPage {
  /** Fewer than `n`, even none, where much was read that the caller does not see. */
  readonly repositories: readonly RepositoryName[]
  /** The `last` of the next page; `undefined` on the last one. */
  readonly next: string | undefined
}

export interface Catalog {
  /** Throws `CursorInvalidError`, and what aborts the signal. */
  list(query: CatalogQuery): Promise<CatalogPage>
}

export interface CatalogDeps {
  readonly metadata: Metadata
  readonly policy: RegistryPolicy
  /** A page ends early after so many turns of the event loop. */
  readonly maxTurns?: number
  readonly loop?: Loop
}

/** Half a second of work or so; pages that find what they look for take a few. */
const defaultMaxTurns = 200

export function createCatalog({ metadata, policy, maxTurns = defaultMaxTurns, loop }: CatalogDeps): Catalog {
  const cursors = createListCursors(metadata)
  return {
    async list({ last, owner, n, caller, signal, party = principalId(caller.principal) }) {
      if (n === 0) return { repositories: [], next: undefined }
      const { names, stoppedAt } = await pageRepositories(metadata.reader, {
        ...(last !== undefined && isSealed(last) ? { from: await cursors.open(last) } : { after: last }),
        owner,
        limit: n + 1,
        visible: await policy.visibleTo(caller.principal),
        turns: new Turns({ signal, party, maxTurns, ...(loop !== undefined && { loop }) }),
      })
      const repositories = names.slice(0, n)
      if (names.length > n) return { repositories, next: repositories.at(-1) }
      return { repositories, next: stoppedAt === undefined ? undefined : await cursors.seal(stoppedAt) }
    },
  }
}
