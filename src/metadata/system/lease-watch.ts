/**
 * Finds leases that nobody renews although they have not run out. Their expiry is a time of day, and clocks are wrong at
 * times: a lease that a clock from the future wrote would otherwise bind everybody until then. Each renewal changes the
 * mark of a lease, so one whose mark stays the same for the time to live has no living holder.
 */
import type { Clock } from '../../lib/clock.ts'
import type { LeaseMark } from './leases.ts'

interface Seen extends LeaseMark {
  /** By the monotonic clock. */
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

  /** Notes the lease as it is now. Returns whether this is the first look at it since it was forgotten. */
  note(name: string, { generation, expiresAt }: LeaseMark): boolean {
    const known = this.#seen.get(name)
    const isSame = known?.generation === generation && known.expiresAt === expiresAt
    if (!isSame) this.#seen.set(name, { generation, expiresAt, since: this.#monotonic.now() })
    return known === undefined
  }

  /** The mark that was noted last, where it has stayed the same for the time to live. */
  findAbandoned(name: string): LeaseMark | undefined {
    const seen = this.#seen.get(name)
    return seen !== undefined && this.#monotonic.now() - seen.since >= this.#ttlMs ? seen : undefined
  }

  forget(name: string): void {
    this.#seen.delete(name)
  }
}
