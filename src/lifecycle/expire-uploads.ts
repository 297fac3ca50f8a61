/** Ends upload sessions that received nothing for longer than the configured time (the FAQ's "can a session expire"). */
import type { UploadLives } from '../metadata/content/upload-ceiling.ts'
import {
  correctUploadTimes,
  endExpiredUploads,
  listExpiredUploads,
  type ExpiryCondition,
} from '../metadata/content/uploads.ts'
import { batchSize, type LifecycleDeps } from './remove-dead-keys.ts'

/** More than the difference between the clocks of processes that share a database. */
const clockSkewMs = 60 * 60_000
/**
 * The most sessions that one run ends. A clock that jumps ahead makes every session look idle; with this limit the loss grows
 * slowly enough to be noticed. A client loses an upload that it must start again, never a blob.
 */
const maxEndedPerRun = 2_000

/** Returns how many sessions ended; their bytes are now dead keys. A session that received bytes during the run is left alone. */
export async function expireUploads(
  deps: LifecycleDeps,
  { emptyMs, withBytesMs }: UploadLives,
  signal: AbortSignal,
): Promise<number> {
  await correctTimes(deps, signal)
  const now = deps.clock.now()
  const ended = await endAll(deps, { touchedBefore: now - withBytesMs, limit: maxEndedPerRun }, signal)
  const rest = { touchedBefore: now - emptyMs, isEmpty: true, limit: maxEndedPerRun - ended }
  return ended + (await endAll(deps, rest, signal))
}

async function endAll(
  { metadata, clock }: LifecycleDeps,
  { limit, ...condition }: ExpiryCondition & { readonly limit: number },
  signal: AbortSignal,
): Promise<number> {
  let ended = 0
  while (ended < limit) {
    signal.throwIfAborted()
    const expired = await listExpiredUploads(metadata.reader, { ...condition, limit: batchSize })
    if (expired.length === 0) return ended
    const options = { ...condition, now: clock.now() }
    ended += await metadata.transact((tx) => endExpiredUploads(tx, expired, options))
  }
  return ended
}

/**
 * Corrects times in the future: such a session would keep its bytes, and count against the limit of its principal, until then.
 */
async function correctTimes({ metadata, clock }: LifecycleDeps, signal: AbortSignal): Promise<void> {
  const now = clock.now()
  const times = { now, latest: now + clockSkewMs, limit: batchSize }
  let corrected: number
  do {
    signal.throwIfAborted()
    corrected = await metadata.transact((tx) => correctUploadTimes(tx, times), { durable: false })
  } while (corrected === batchSize)
}
