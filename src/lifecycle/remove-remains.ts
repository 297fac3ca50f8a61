/** Removes the remains of deleted repositories whose deletion was interrupted by the end of its process. */
import { Conflict } from '../metadata/errors.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { listRemains, removeRemains } from '../metadata/deletion/repository-remains.ts'

const pageSize = 100

/** Skips a repository that is in use; the next run tries it again. Returns how many repositories were removed completely. */
export async function removeAllRemains(
  { metadata }: { readonly metadata: Metadata },
  signal: AbortSignal,
): Promise<number> {
  let removed = 0
  let after: number | undefined
  for (;;) {
    const page = await listRemains(metadata.reader, { after, limit: pageSize })
    for (const repositoryId of page) {
      signal.throwIfAborted()
      if (await tryRemove(metadata, repositoryId, signal)) removed += 1
    }
    after = page.at(-1)
    if (after === undefined) return removed
  }
}

async function tryRemove(metadata: Metadata, repositoryId: number, signal: AbortSignal): Promise<boolean> {
  try {
    await removeRemains(metadata, { repositoryId, signal })
    return true
  } catch (error) {
    if (!(error instanceof Conflict)) throw error
    return false
  }
}
