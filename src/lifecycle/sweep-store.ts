/**
 * Finds bytes that no row names: what a crash left between "bytes durable" and "row committed". Only what is older
 * than the grace period is touched, for the row of a running upload may be younger than its first byte's file.
 */
import { listUnknownKeys } from '../metadata/dead-keys.ts'
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

async function sweepBatch(deps: LifecycleDeps, batch: readonly StoreEntry[]): Promise<number> {
  if (batch.length === 0) return 0
  const keys = [...new Set(batch.map((entry) => entry.key))]
  const unknown = new Set(await listUnknownKeys(deps.metadata.reader, keys))
  for (const { key, digest } of batch) {
    if (unknown.has(key)) await deps.store.delete(key, digest)
  }
  return unknown.size
}
