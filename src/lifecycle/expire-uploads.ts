/** Ends upload sessions that received nothing for longer than the configured time (the FAQ's "can a session expire"). */
import { insertDeadKey } from '../metadata/dead-keys.ts'
import { deleteUpload, findUpload, listExpiredUploads } from '../metadata/uploads.ts'
import { batchSize, type LifecycleDeps } from './remove-dead-keys.ts'

/** Returns how many sessions ended; their bytes are dead keys now. A session touched meanwhile is left alone. */
export async function expireUploads(
  deps: LifecycleDeps,
  expireAfterMs: number,
  signal: AbortSignal,
): Promise<number> {
  const touchedBefore = deps.clock.now() - expireAfterMs
  let ended = 0
  for (;;) {
    signal.throwIfAborted()
    const expired = await listExpiredUploads(deps.metadata.reader, { touchedBefore, limit: batchSize })
    if (expired.length === 0) return ended
    ended += await deps.metadata.transact(async (tx) => {
      let count = 0
      for (const id of expired) {
        const row = await findUpload(tx, id)
        if (row === undefined || row.touchedAt >= touchedBefore) continue
        await deleteUpload(tx, id)
        await insertDeadKey(tx, { storageKey: row.storageKey, digest: undefined, since: deps.clock.now() })
        count += 1
      }
      return count
    })
  }
}
