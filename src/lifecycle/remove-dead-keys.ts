/**
 * @module
 * What ends: sessions that nobody continues, bytes that nothing names. Everything here runs online, beside pushes
 * and pulls, in small steps that may be cut off anywhere and repeated. This is the only place that deletes bytes.
 */
import type { BlobStore } from '../blob-store/blob-store.ts'
import type { Clock } from '../lib/clock.ts'
import { isBackupRunning } from '../metadata/backup/backup-hold.ts'
import { listDeadKeys, removeDeadKey } from '../metadata/dead-keys.ts'
import type { Metadata } from '../metadata/metadata.ts'

export interface LifecycleDeps {
  readonly metadata: Metadata
  readonly store: BlobStore
  readonly clock: Clock
}

export const batchSize = 200

/**
 * Removes the bytes of dead keys, then their rows, in this order: a crash between repeats the harmless half.
 * Returns how many keys are gone. While a backup runs nothing is removed: its snapshot may name the bytes.
 */
export async function removeDeadKeys(deps: LifecycleDeps, signal: AbortSignal): Promise<number> {
  // Another connection's dead key may be visible before it is durable: bytes go only after their row has.
  await deps.metadata.flush()
  let removed = 0
  for (;;) {
    const dead = await listDeadKeys(deps.metadata.reader, { limit: batchSize })
    // After the list, see `isBackupRunning`: a backup that begins later knows none of these keys.
    if (await isBackupRunning(deps.metadata.reader, deps.clock.now())) return removed
    for (const { storageKey, digest } of dead) {
      signal.throwIfAborted()
      await deps.store.delete(storageKey, digest)
    }
    if (dead.length === 0) return removed
    await deps.metadata.transact(async (tx) => {
      for (const { storageKey } of dead) await removeDeadKey(tx, storageKey)
    })
    removed += dead.length
  }
}
