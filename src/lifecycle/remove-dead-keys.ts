/**
 * @module
 * What ends: sessions that nobody continues, bytes that nothing names. Everything here runs online, beside pushes
 * and pulls, in small steps that may be cut off anywhere and repeated. This is the only place that deletes bytes.
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

/** The store scans its unfinished uploads once per batch. */
const keysAtOnce = 1_000
/** A line of the log names no more keys than this. */
export const maxNames = 10

/**
 * Removes the bytes of dead keys, then their rows, in this order: a crash between repeats the harmless half. A key that
 * cannot be deleted is passed over and tried again later. While a backup runs nothing is removed: its snapshot may name
 * the bytes. Returns how many keys are gone.
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
    // A dead key is visible before it is durable: a power cut now could bring the blob's row back without its bytes.
    await metadata.flush()
    // After the list, see `isBackupRunning`: a backup that begins later knows none of these keys.
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
    // When nothing can be deleted, the store is probably unavailable; the rest of the queue waits for the next run.
    if (gone.length === 0) return removed
  }
}

/** Returns the reason for each key that must stay in the queue. */
async function deleteBytes(
  { store }: LifecycleDeps,
  due: readonly DueDeadKey[],
): Promise<ReadonlyMap<StorageKey, unknown>> {
  const failed = new Map<StorageKey, unknown>()
  for (const { storageKey, isNamed } of due) {
    if (isNamed) failed.set(storageKey, new Error('a blob or an upload of the database uses this key'))
  }
  const dead = due
    .filter(({ isNamed }) => !isNamed)
    .map(({ storageKey, digest }) => ({ key: storageKey, digest }))
  for (const { key, error } of await store.deleteAll(dead)) failed.set(key, error)
  return failed
}

/** A key is logged when it fails for the first time; later only the metrics show it. */
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
    'storage keys could not be deleted; each is tried again within an hour. Check the files with these names in the store',
  )
}
