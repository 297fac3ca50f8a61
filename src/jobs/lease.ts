/**
 * Makes sure that one process at a time runs a job, of all processes on one database: a lease row with an expiry, fenced by a
 * generation. The lease is renewed while `work` runs; if a renewal fails, `work` has to stop.
 *
 * The expiry is a time of day, and clocks are wrong at times. A lease that ends later than any lease can was written by
 * a clock that was ahead: by a process that died, or by one that lives and whose clock still is ahead. The latter renews,
 * so the row is watched for the time to live of a lease, by a clock that nobody sets, and taken over when it stays the
 * same. A clock that jumps ahead can still make two processes run one job for a third of that time, until the renewal of
 * the first fails: jobs are safe to run twice.
 */
import type { Clock } from '../lib/clock.ts'
import { LeaseWatch } from '../metadata/system/lease-watch.ts'
import { acquireLease, findLease, releaseLease, renewLease } from '../metadata/system/leases.ts'
import type { Metadata } from '../metadata/metadata.ts'
import type { Logger } from '../telemetry/logger.ts'

export const leaseTtlMs = 60_000

export interface LeaseDeps {
  readonly metadata: Metadata
  readonly clock: Clock
  /** A clock that never jumps. */
  readonly monotonic: Clock
  /** Names this process; unique among the processes that share the database. */
  readonly holder: string
  readonly log: Pick<Logger, 'warn'>
}

/** `lookAgainMs`: the expiry is implausible; look again after this time to see whether its holder renews it. */
export type LeaseOutcome<T> =
  | { readonly kind: 'ran'; readonly value: T }
  | { readonly kind: 'held'; readonly lookAgainMs: number | undefined }

interface Claim {
  readonly name: string
  readonly signal: AbortSignal
}

export class Leases {
  readonly #deps: LeaseDeps
  /** Leases with an expiry too far in the future. */
  readonly #watch: LeaseWatch

  constructor(deps: LeaseDeps) {
    this.#deps = deps
    this.#watch = new LeaseWatch({ monotonic: deps.monotonic, ttlMs: leaseTtlMs })
  }

  /** Runs `work` under the lease, or skips it while another process holds the lease. Throws the errors of `work`. */
  async run<T>({ name, signal }: Claim, work: (signal: AbortSignal) => Promise<T>): Promise<LeaseOutcome<T>> {
    const { metadata, holder } = this.#deps
    const abandoned = this.#watch.findAbandoned(name)
    const claim = { ...this.#terms(name), abandoned }
    const held = await metadata.transact((tx) => acquireLease(tx, claim), { durable: false })
    if (held === undefined) return { kind: 'held', lookAgainMs: await this.#suspect(name) }
    this.#watch.forget(name)
    try {
      return { kind: 'ran', value: await this.#keep({ name, ...held }, signal, work) }
    } finally {
      await metadata.transact((tx) => releaseLease(tx, { name, holder, ...held }), { durable: false })
    }
  }

  #terms(name: string) {
    const { clock, holder } = this.#deps
    return { name, holder, now: clock.now(), ttlMs: leaseTtlMs }
  }

  async #keep<T>(
    lease: { readonly name: string; readonly generation: number },
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { metadata } = this.#deps
    const { name } = lease
    const lost = new AbortController()
    const renew = async (): Promise<void> => {
      const options = { ...this.#terms(name), ...lease }
      const ours = await metadata.transact((tx) => renewLease(tx, options), { durable: false })
      if (!ours) lost.abort(new Error(`the lease of job ${name} went to another process`))
    }
    const timer = setInterval(() => void renew().catch((error: unknown) => lost.abort(error)), leaseTtlMs / 3)
    try {
      return await work(AbortSignal.any([signal, lost.signal]))
    } finally {
      clearInterval(timer)
    }
  }

  /** Remembers a lease with an implausible expiry; returns when to look at it again. */
  async #suspect(name: string): Promise<number | undefined> {
    const { metadata, clock, log } = this.#deps
    const lease = await findLease(metadata.reader, name)
    const leftMs = (lease?.expiresAt ?? 0) - clock.now()
    if (lease === undefined || leftMs <= leaseTtlMs) {
      this.#watch.forget(name)
      return undefined
    }
    if (this.#watch.note(name, lease)) {
      const fields = { job: name, holder: lease.holder, leftMs }
      log.warn(
        fields,
        'the lease of a job is from the future: check the clock; it is taken over unless renewed',
      )
    }
    return leaseTtlMs
  }
}
