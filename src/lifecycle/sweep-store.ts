/**
 * Finds bytes that no row names: what a crash left between "bytes durable" and "row committed". Only what is older
 * than the grace period is touched, for the row of a running upload may be younger than its first byte's file.
 */
import { listFinishedKeys, listUnknownKeys } from '../metadata/dead-keys.ts'
import type { StoreEntry } from '../blob-store/blob-store.ts'
import { batchSize, type LifecycleDeps } from './remove-dead-keys.ts'

/** Returns how many storage keys were removed. */
export async function sweepStore(
  deps: LifecycleDeps,
  gracePeriodMs: number,
  signal: AbortSignal,
): Promise<number> {
  await deps.metadata.flush()
  const before = deps.clock.now() - gracePeriodMs
  let swept = 0
  let batch: StoreEntry[] = []
  for await (const entry of deps.store.list()) {
    signal.throwIfAborted()
    if (entry.modifiedAt >= before) continue
    batch.push(entry)
    if (batch.length < batchSize) continue
    swept += await sweepBatch(deps, batch)
    batch = []
  }
  return swept + (await sweepBatch(deps, batch))
}

/** Segments go with their session, also where their key became a blob: a stale writer may have opened one afterwards. */
async function sweepBatch(deps: LifecycleDeps, batch: readonly StoreEntry[]): Promise<number> {
  const blobs = batch.filter((entry) => entry.digest !== undefined)
  const segments = batch.filter((entry) => entry.digest === undefined)
  const { reader } = deps.metadata
  const unknown = new Set(await listUnknownKeys(reader, keysOf(blobs)))
  const finished = new Set(await listFinishedKeys(reader, keysOf(segments)))
  const swept = [
    ...blobs.filter((entry) => unknown.has(entry.key)),
    ...segments.filter((entry) => finished.has(entry.key)),
  ]
  for (const { key, digest } of swept) await deps.store.delete(key, digest)
  return new Set(keysOf(swept)).size
}

function keysOf(entries: readonly StoreEntry[]): string[] {
  return [...new Set(entries.map((entry) => entry.key))]
}
