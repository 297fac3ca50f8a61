/** Lists the tags of a repository as keyset pages in byte order (distribution-spec end-8). */
import type { Asker } from '../access/policy.ts'
import { Turns } from '../lib/turns/turns.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { findRepository } from '../metadata/repositories/repositories.ts'
import { listTags } from '../metadata/content/tags.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import type { TagName } from '../oci/tag-name.ts'
import { RepositoryUnknownError } from '../oci/repository-unknown-error.ts'

export interface Tags {
  /**
   * Returns up to `n` tags after `last`, which need not exist; `more` when others follow. Throws `RepositoryUnknownError`, and
   * the reason of the asker's signal.
   */
  list(
    repository: RepositoryName,
    page: { last?: string | undefined; n: number; asker?: Asker },
  ): Promise<{ tags: readonly TagName[]; more: boolean }>
}

/** The most rows per statement; on SQLite all other requests wait for a statement. */
const maxRows = 1_000

export function createTags(metadata: Pick<Metadata, 'reader'>): Tags {
  return {
    async list(name, { last, n, asker }) {
      const repository = await findRepository(metadata.reader, name)
      if (repository === undefined) throw new RepositoryUnknownError(name)
      if (n === 0) return { tags: [], more: false }
      const tags = await readTags(metadata, { repositoryId: repository.id, after: last, limit: n + 1, asker })
      return { tags: tags.slice(0, n), more: tags.length > n }
    },
  }
}

/** Reads a page in several turns of the event loop: it may have 10,000 tags. */
async function readTags(
  { reader }: Pick<Metadata, 'reader'>,
  page: {
    readonly repositoryId: number
    after: string | undefined
    readonly limit: number
    readonly asker: Asker | undefined
  },
): Promise<TagName[]> {
  const turns = new Turns(page.asker)
  const tags: TagName[] = []
  let { after } = page
  for (;;) {
    const limit = Math.min(maxRows, page.limit - tags.length)
    const slice = await listTags(reader, { repositoryId: page.repositoryId, after, limit })
    tags.push(...slice)
    if (slice.length < limit || tags.length === page.limit) return tags
    after = slice.at(-1)
    await turns.pass()
  }
}
