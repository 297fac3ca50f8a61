/**
 * Finds bytes that no row names, left by a crash between "bytes durable" and "row committed". A missing row proves little,
 * because the database may be new, restored or another one. So the sweep moves bytes aside instead of deleting them. It leaves
 * alone bytes that are older than the database or younger than the grace period (the row of a running upload may be younger than
 * its first byte), and moves nothing if that were an unusual share of the store. See ADR 3.
 */
import type { StoreEntry } from '../blob-store/blob-store.ts'
import { inBatches } from '../lib/turns/in-batches.ts'
import { listFinishedKeys, listUnknownKeys } from '../metadata/content/dead-keys.ts'
import { findInstallation, findStoreJudgement, type StoreJudgement } from '../metadata/system/installation.ts'
import { isAccepted, isJudged } from './judgement.ts'
import type { LifecycleDeps } from './remove-dead-keys.ts'
import { sweepAside } from './sweep-aside.ts'
import { createSweepReport, Tally, type SweepReport } from './sweep-report.ts'

export interface SweepDeps extends LifecycleDeps {
  /** Called with the report of each run. */
  readonly onSweep?: ((report: SweepReport) => void) | undefined
}

/** The size of a batch; the store scans its unfinished uploads once per batch. */
const entriesAtOnce = 1_000
/** The largest share of the store's entries or bytes that one run may move. */
const maxShare = 0.1
/** One run may always move this many entries, whatever their share, so that a small store can clean up after a crash. */
const alwaysAllowedEntries = 20

interface Sweep {
  readonly deps: SweepDeps
  readonly judgement: StoreJudgement
  /** Only entries last changed before this time are considered. */
  readonly before: number
  readonly signal: AbortSignal
  readonly report: SweepReport
}

/** Returns how many storage keys were moved aside. Throws when the store now belongs to another database. */
export async function sweepStore(
  deps: SweepDeps,
  gracePeriodMs: number,
  signal: AbortSignal,
): Promise<number> {
  await deps.metadata.flush()
  const judgement = await findStoreJudgement(deps.metadata.reader)
  // A database whose first start is not complete knows nothing about the store.
  if (judgement === undefined) return 0
  await refuseOtherStore(deps)
  const report = createSweepReport()
  const sweep = { deps, judgement, before: deps.clock.now() - gracePeriodMs, signal, report }
  await sweepAside(sweep, signal)
  const { accepted, unknown } = await countUnknown(sweep)
  const isTooMuch = exceedsShare(unknown, report.total)
  if (isTooMuch) report.refused = unknown
  const allowed = { accepted: accepted.entries, unknown: isTooMuch ? 0 : unknown.entries }
  const keys = await moveUnknown(sweep, allowed)
  logReport(sweep)
  deps.onSweep?.(report)
  return keys
}

/**
 * Throws when the store belongs to another installation: after a start with `--adopt-store`, the rows of new bytes are in the
 * other database.
 */
async function refuseOtherStore({ metadata, store }: SweepDeps): Promise<void> {
  const [own, owner] = [await findInstallation(metadata.reader), await store.readInstallationId()]
  if (owner === undefined || owner === own) return
  throw new Error(
    `the blob store belongs to installation ${owner}, but this database belongs to ${own}: another start has taken over the store, so the sweep changed nothing. Stop this server or the other one`,
  )
}

/** The first of two passes: nothing moves before the whole share is known. */
async function countUnknown(sweep: Sweep): Promise<{ accepted: Tally; unknown: Tally }> {
  const { deps, judgement, report } = sweep
  const counts = { accepted: new Tally(), unknown: new Tally() }
  for await (const batch of inBatches(deps.store.list(), entriesAtOnce)) {
    for (const entry of batch) report.total.add(entry)
    for (const entry of await findUnnamed(sweep, batch)) {
      if (isAccepted(entry, judgement)) counts.accepted.add(entry)
      else (isJudged(entry, judgement) ? counts.unknown : report.unjudged).add(entry)
    }
  }
  return counts
}

function exceedsShare(unknown: Tally, total: Tally): boolean {
  if (unknown.entries <= alwaysAllowedEntries) return false
  return unknown.entries > total.entries * maxShare || unknown.bytes > total.bytes * maxShare
}

/**
 * The second pass: moves no more entries than the first one counted; later entries wait for the next run. Checks the rows again.
 */
async function moveUnknown(
  sweep: Sweep,
  allowed: { readonly accepted: number; readonly unknown: number },
): Promise<number> {
  const { deps, judgement } = sweep
  const left = { ...allowed }
  const keys = new Set<string>()
  if (left.accepted + left.unknown === 0) return 0
  for await (const batch of inBatches(deps.store.list(), entriesAtOnce)) {
    const moves = (await findUnnamed(sweep, batch)).filter((entry) => {
      const kind = isAccepted(entry, judgement) ? 'accepted' : 'unknown'
      if (left[kind] === 0 || !isJudged(entry, judgement)) return false
      left[kind] -= 1
      return true
    })
    for (const entry of await moveAside(sweep, moves)) keys.add(entry.key)
    if (left.accepted + left.unknown === 0) break
  }
  return keys.size
}

async function moveAside(
  { deps, report }: Sweep,
  moves: readonly StoreEntry[],
): Promise<readonly StoreEntry[]> {
  if (moves.length === 0) return []
  const failures = await deps.store.setAside(moves)
  const failed = new Set(failures.map(({ key }) => key))
  const moved = moves.filter(({ key }) => !failed.has(key))
  for (const entry of moved) {
    report.moved.add(entry)
    report.aside.add(entry)
  }
  const [first] = failures
  if (first !== undefined) {
    deps.log.error(
      { count: failures.length, key: first.key, err: first.error },
      'bytes that no row names could not be moved aside; the next sweep tries again',
    )
  }
  return moved
}

/**
 * Returns the old entries that no row names. Segments are named only by their session, even if their key became a blob: a stale
 * writer may have opened a segment later.
 */
async function findUnnamed(sweep: Sweep, batch: readonly StoreEntry[]): Promise<readonly StoreEntry[]> {
  const { deps, before, signal } = sweep
  signal.throwIfAborted()
  const old = batch.filter(({ modifiedAt }) => modifiedAt < before)
  const blobs = old.filter(({ digest }) => digest !== undefined)
  const segments = old.filter(({ digest }) => digest === undefined)
  const { reader } = deps.metadata
  const unknown = new Set(await listUnknownKeys(reader, keysOf(blobs)))
  const finished = new Set(await listFinishedKeys(reader, keysOf(segments)))
  return [...blobs.filter(({ key }) => unknown.has(key)), ...segments.filter(({ key }) => finished.has(key))]
}

function keysOf(entries: readonly StoreEntry[]): string[] {
  return [...new Set(entries.map(({ key }) => key))]
}

function logReport({ deps: { log }, report }: Sweep): void {
  const warn = ({ entries, bytes, names }: Tally, message: string): void => {
    if (entries > 0) log.warn({ entries, bytes, names }, message)
  }
  warn(report.restored, 'the database names bytes that had been set aside; they were moved back')
  warn(
    report.moved,
    'bytes that no row of the database names were moved to the orphans folder of the store; they are deleted after 7 days',
  )
  warn(report.deleted, 'bytes that were set aside 7 days ago and that no row names were deleted')
  warn(
    report.unjudged,
    'bytes that no row names are older than the database and stay in the store; to delete them, run lading gc --accept-store',
  )
  warn(
    report.refused,
    'more than a tenth of the store has no row in the database, so nothing was moved; check that this is the right database, then run lading gc --accept-store',
  )
}
