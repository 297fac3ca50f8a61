/**
 * Collects blobs that no repository links any more: one transaction turns the row into a dead key; the bytes are removed later.
 */
import { listUnlinkedBlobs, removeUnlinkedBlobs, type UnlinkedBlob } from '../metadata/content/blobs.ts'
import { batchSize, maxNames, type LifecycleDeps } from './remove-dead-keys.ts'

/**
 * Checks each blob again in the transaction that removes it, so a push or mount of the same digest either keeps the blob or
 * creates a new row with a new key. A blob that cannot be removed does not affect the others; the next run tries it again.
 * Returns how many blobs were collected.
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
      // One blob of the batch is the cause; trying each alone finds it.
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
    'unlinked blobs could not be collected; the next run tries again',
  )
}
