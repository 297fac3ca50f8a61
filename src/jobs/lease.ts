/**
 * One runner of a job at a time, over all processes on one database: a lease row with an expiry, fenced by a
 * generation. While `work` runs the lease is renewed; when that fails, the work is told to stop.
 */
import type { Clock } from '../lib/clock.ts'
import { acquireLease, releaseLease, renewLease } from '../metadata/leases.ts'
import type { Metadata } from '../metadata/metadata.ts'

export const leaseTtlMs = 60_000

export interface LeaseDeps {
  readonly metadata: Metadata
  readonly clock: Clock
  /** Names this process; unique among those that share the database. */
  readonly holder: string
}

/** `undefined` when another process holds the lease; otherwise what `work` returned. */
export async function withLease<T>(
  deps: LeaseDeps,
  lease: { name: string; signal: AbortSignal },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const { metadata, clock, holder } = deps
  const { name } = lease
  const options = () => ({ name, holder, now: clock.now(), ttlMs: leaseTtlMs })
  const held = await metadata.transact((tx) => acquireLease(tx, options()), { durable: false })
  if (held === undefined) return undefined
  const lost = new AbortController()
  const renew = async (): Promise<void> => {
    const ours = await metadata.transact((tx) => renewLease(tx, { ...options(), ...held }), {
      durable: false,
    })
    if (!ours) lost.abort(new Error(`the lease of job ${name} went to another process`))
  }
  const timer = setInterval(() => void renew().catch((error: unknown) => lost.abort(error)), leaseTtlMs / 3)
  try {
    return await work(AbortSignal.any([lease.signal, lost.signal]))
  } finally {
    clearInterval(timer)
    await metadata.transact((tx) => releaseLease(tx, { name, holder, ...held }), { durable: false })
  }
}
