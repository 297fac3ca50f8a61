/**
 * Finds leases that are no longer renewed although they have not expired. Their expiry is a time of day, and clocks can
 * be wrong: a lease written by a clock that was ahead would block all others until then. Each renewal changes the mark
 * of a lease, so if the mark stays the same for the time to live, the holder is dead.
 */
import type { Clock } from '../../lib/clock.ts'
import type { LeaseMark } from './leases.ts'

interface Seen extends LeaseMark {
  /** When this mark was first seen, by the monotonic clock. */
  readonly since: number
}

export interface LeaseWatchOptions {
  /** A clock that never jumps. */
  readonly monotonic: Clock
  readonly ttlMs: number
}

export class LeaseWatch {
  readonly #monotonic: Clock
  readonly #ttlMs: number
  readonly #seen = new Map<string, Seen>()

  constructor({ monotonic, ttlMs }: LeaseWatchOptions) {
    this.#monotonic = monotonic
    this.#ttlMs = ttlMs
  }

  /** Records the current state of the lease. Returns whether the lease was not known, or was forgotten. */
  note(name: string, { generation, expiresAt }: LeaseMark): boolean {
    const known = this.#seen.get(name)
    const isSame = known?.generation === generation && known.expiresAt === expiresAt
    if (!isSame) this.#seen.set(name, { generation, expiresAt, since: this.#monotonic.now() })
    return known === undefined
  }

  /** Returns the last recorded mark if it has stayed the same for the time to live. */
  findAbandoned(name: string): LeaseMark | undefined {
    const seen = this.#seen.get(name)
    return seen !== undefined && this.#monotonic.now() - seen.since >= this.#ttlMs ? seen : undefined
  }

  forget(name: string): void {
    this.#seen.delete(name)
  }
}
