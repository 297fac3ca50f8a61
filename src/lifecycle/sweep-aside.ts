/**
 * Handles the entries that earlier sweeps set aside: moves an entry back if a row names it after all, and deletes it if nothing
 * has named it for a week. Checks every entry against the database again before deleting it.
 */
import type { AsideEntry } from '../blob-store/blob-store.ts'
import { inBatches } from '../lib/turns/in-batches.ts'
import { dayMs } from '../lib/utc-day.ts'
import { listKeysWithoutUpload, listUnusedKeys } from '../metadata/content/dead-keys.ts'
import type { StoreJudgement } from '../metadata/system/installation.ts'
import { isJudged } from './judgement.ts'
import { batchSize, type LifecycleDeps } from './remove-dead-keys.ts'
import type { SweepReport } from './sweep-report.ts'

/** One day more than seven, because an entry records only the day of its move: every entry stays at least seven days. */
const keptMs = 8 * dayMs

export interface AsideSweep {
  readonly deps: LifecycleDeps
  readonly judgement: StoreJudgement
  readonly report: SweepReport
}

/** Records its work in the report. An entry that cannot be moved or deleted stays aside. */
export async function sweepAside(sweep: AsideSweep, signal: AbortSignal): Promise<void> {
  const { deps, report } = sweep
  const failures: unknown[] = []
  for await (const batch of inBatches(deps.store.listAside(), batchSize)) {
    signal.throwIfAborted()
    const unused = await findUnused(deps, batch)
    for (const entry of batch) {
      try {
        await sweepEntry(sweep, entry, unused.has(entry))
      } catch (error) {
        failures.push(error)
        report.aside.add(entry)
      }
    }
  }
  if (failures.length === 0) return
  deps.log.error(
    { count: failures.length, err: failures[0] },
    'entries of the orphans folder could not be moved or deleted; the next sweep tries again',
  )
}

async function sweepEntry(
  { deps, judgement, report }: AsideSweep,
  entry: AsideEntry,
  isUnused: boolean,
): Promise<void> {
  if (!isUnused) {
    const isBack = await deps.store.restoreAside(entry)
    return (isBack ? report.restored : report.aside).add(entry)
  }
  const isOver = deps.clock.now() - entry.setAsideAt >= keptMs
  if (!isOver || !isJudged(entry, judgement)) return report.aside.add(entry)
  await deps.store.deleteAside(entry)
  return report.deleted.add(entry)
}

/**
 * Returns the unused entries. A blob's bytes are used by its row or by the upload that is about to become it; segments are used
 * only by an upload.
 */
async function findUnused(
  { metadata: { reader } }: LifecycleDeps,
  batch: readonly AsideEntry[],
): Promise<ReadonlySet<AsideEntry>> {
  const blobs = batch.filter(({ digest }) => digest !== undefined)
  const segments = batch.filter(({ digest }) => digest === undefined)
  const unusedBlobs = new Set(
    await listUnusedKeys(
      reader,
      blobs.map(({ key }) => key),
    ),
  )
  const unusedSegments = new Set(
    await listKeysWithoutUpload(
      reader,
      segments.map(({ key }) => key),
    ),
  )
  return new Set([
    ...blobs.filter(({ key }) => unusedBlobs.has(key)),
    ...segments.filter(({ key }) => unusedSegments.has(key)),
  ])
}
