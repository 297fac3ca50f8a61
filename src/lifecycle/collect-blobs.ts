/** Collects blobs that no repository links any more: the row becomes a dead key in one transaction, the bytes follow. */
import { listUnlinkedBlobs, removeUnlinkedBlobs, type UnlinkedBlob } from '../metadata/content/blobs.ts'
import { batchSize, maxNames, type LifecycleDeps } from './remove-dead-keys.ts'

/**
 * Each blob is checked again in the transaction that removes it, so a push or mount of the same digest either keeps
 * it or makes a new row with a key of its own. A blob that cannot be removed does not keep the others; the next run
 * tries it again. Returns how many were collected.
 */
export async function collectBlobs(
  deps: LifecycleDeps,
  gracePeriodMs: number,
  signal: AbortSignal,
): Promise<number> {
  const before = deps.clock.now() - gracePeriodMs
  const failures: Failure[] = []
  let collected = 0
  let after: UnlinkedBlob | undefined
  do {
    signal.throwIfAborted()
    const unlinked = await listUnlinkedBlobs(deps.metadata.reader, { before, limit: batchSize, after })
    try {
      collected += await collect(deps, unlinked)
    } catch {
      // One of them is the reason; alone each shows whether it is.
      collected += await collectEach(deps, unlinked, failures)
    }
    after = unlinked.at(-1)
  } while (after !== undefined && failures.length < batchSize)
  logFailures(deps, failures)
  return collected
}

interface Failure {
  readonly blob: UnlinkedBlob
  readonly error: unknown
}

async function collectEach(
  deps: LifecycleDeps,
  blobs: readonly UnlinkedBlob[],
  failures: Failure[],
): Promise<number> {
  let collected = 0
  for (const blob of blobs) {
    try {
      collected += await collect(deps, [blob])
    } catch (error) {
      failures.push({ blob, error })
    }
  }
  return collected
}

function collect({ metadata, clock }: LifecycleDeps, blobs: readonly UnlinkedBlob[]): Promise<number> {
  const digests = blobs.map(({ digest }) => digest)
  return metadata.transact((tx) => removeUnlinkedBlobs(tx, { digests, now: clock.now() }))
}

function logFailures({ log }: LifecycleDeps, failures: readonly Failure[]): void {
  const [first] = failures
  if (first === undefined) return
  const digests = failures.slice(0, maxNames).map(({ blob }) => blob.digest)
  log.error(
    { count: failures.length, digests, err: first.error },
    'blobs without a link could not be collected; the next run tries again',
  )
}
