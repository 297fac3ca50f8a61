/**
 * @module Removes idle upload sessions and bytes that nothing names. All of this runs while the registry serves pushes and pulls,
 * in small steps that can be interrupted anywhere and repeated. Nothing else deletes bytes.
 */
import type { BlobStore, StorageKey } from '../blob-store/blob-store.ts'
import type { Clock } from '../lib/clock.ts'
import {
  listDueDeadKeys,
  postponeDeadKeys,
  removeDeadKeys as removeRows,
  type DueDeadKey,
} from '../metadata/content/dead-keys.ts'
import type { Metadata } from '../metadata/metadata.ts'
import type { Logger } from '../telemetry/logger.ts'
import { isBackupRunning, type BackupPauseDeps } from './backup-pause.ts'

export interface LifecycleDeps {
  readonly metadata: Metadata
  readonly store: BlobStore
  readonly clock: Clock
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
}

export const batchSize = 200

/** The size of a batch; the store scans its unfinished uploads once per batch. */
const keysAtOnce = 1_000
/** The most keys that one log line names. */
export const maxNames = 10

/**
 * Removes the bytes of dead keys, then their rows; in this order, repeating it after a crash is harmless. A key that cannot be
 * deleted is skipped and tried again later. Removes nothing while a backup runs, because its snapshot may name the bytes. Returns
 * how many keys were removed.
 */
export async function removeDeadKeys(
  deps: LifecycleDeps & BackupPauseDeps,
  signal: AbortSignal,
): Promise<number> {
  const { metadata, clock } = deps
  let removed = 0
  for (;;) {
    signal.throwIfAborted()
    const now = clock.now()
    const due = await listDueDeadKeys(metadata.reader, { now, limit: keysAtOnce })
    if (due.length === 0) return removed
    // A dead key is visible before it is durable: a power cut now could restore the blob's row without its bytes.
    await metadata.flush()
    // After the list, see `isBackupRunning`: a backup that starts later knows none of these keys.
    if (await isBackupRunning(deps, now)) return removed
    const failed = await deleteBytes(deps, due)
    const gone = due.filter(({ storageKey }) => !failed.has(storageKey))
    const stuck = due.filter(({ storageKey }) => failed.has(storageKey))
    await metadata.transact(async (tx) => {
      await removeRows(tx, gone)
      await postponeDeadKeys(tx, stuck, now)
    })
    logFirstFailures(deps, stuck, failed)
    removed += gone.length
    // If no key can be deleted, the store is probably unavailable; the rest of the queue waits for the next run.
    if (gone.length === 0) return removed
  }
}

/** Returns the keys that must stay in the queue, with the reason for each. */
async function deleteBytes(
  { store }: LifecycleDeps,
  due: readonly DueDeadKey[],
): Promise<ReadonlyMap<StorageKey, unknown>> {
  const failed = new Map<StorageKey, unknown>()
  for (const { storageKey, isNamed } of due) {
    if (isNamed) failed.set(storageKey, new Error('a blob or an upload in the database uses this key'))
  }
  const dead = due
    .filter(({ isNamed }) => !isNamed)
    .map(({ storageKey, digest }) => ({ key: storageKey, digest }))
  for (const { key, error } of await store.deleteAll(dead)) failed.set(key, error)
  return failed
}

/** Logs a key when it fails for the first time; later failures only show in the metrics. */
function logFirstFailures(
  { log }: LifecycleDeps,
  stuck: readonly DueDeadKey[],
  failed: ReadonlyMap<StorageKey, unknown>,
): void {
  const fresh = stuck.filter(({ attempts }) => attempts === 0).map(({ storageKey }) => storageKey)
  const [first] = fresh
  if (first === undefined) return
  log.error(
    { count: fresh.length, keys: fresh.slice(0, maxNames), err: failed.get(first) },
    'storage keys could not be deleted and are tried again within an hour; check the files with these names in the store',
  )
}
