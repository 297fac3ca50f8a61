/** Collects blobs that no repository links any more: the row becomes a dead key in one transaction, the bytes follow. */
import { listUnlinkedBlobs, removeUnlinkedBlob } from '../metadata/blobs.ts'
import { batchSize, type LifecycleDeps } from './remove-dead-keys.ts'

/**
 * Each blob is checked again in the transaction that removes it, so a push or mount of the same digest either keeps
 * it or makes a new row with a key of its own. Returns how many were collected.
 */
export async function collectBlobs(
  deps: LifecycleDeps,
  gracePeriodMs: number,
  signal: AbortSignal,
): Promise<number> {
  const before = deps.clock.now() - gracePeriodMs
  let collected = 0
  for (;;) {
    signal.throwIfAborted()
    const unlinked = await listUnlinkedBlobs(deps.metadata.reader, { before, limit: batchSize })
    const removed = await deps.metadata.transact(async (tx) => {
      let count = 0
      for (const { digest } of unlinked) {
        const gone = await removeUnlinkedBlob(tx, { digest, now: deps.clock.now() })
        if (gone !== undefined) count += 1
      }
      return count
    })
    collected += removed
    if (removed === 0) return collected
  }
}
