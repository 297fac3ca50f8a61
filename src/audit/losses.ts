/** Counts the events that are not recorded, by kind, and reports them once a minute. */
import type { Clock } from '../lib/clock.ts'
import type { AuditEntry } from '../metadata/audit/audit-trail.ts'

export type EventKind = Pick<AuditEntry, 'action' | 'outcome'>

/**
 * `full`: too many events between two writes. `distinct`: too many different events within a minute. `failed`: the database did
 * not accept them.
 */
export type LossReason = 'full' | 'distinct' | 'failed'

export interface Loss {
  readonly count: number
  /** `push denied: 12`, the most frequent first. */
  readonly events: readonly string[]
}

const reportEveryMs = 60_000

export interface LossReport {
  /** The events lost since the last report. */
  readonly fresh: Loss
  /** `fresh`, plus the events of earlier reports that could not be written. */
  readonly unwritten: Loss
  /** Call it when this report could not be written either. */
  restore(): void
}

type Counts = Map<string, number>

export class Losses {
  readonly #monotonic: Clock
  #fresh: Counts = new Map()
  #unwritten: Counts = new Map()
  #reportedAt = Number.NEGATIVE_INFINITY

  constructor(monotonic: Clock) {
    this.#monotonic = monotonic
  }

  add({ action, outcome }: EventKind): void {
    const kind = new Map([[`${action} ${outcome}`, 1]])
    increase(this.#fresh, kind)
    increase(this.#unwritten, kind)
  }

  /** Milliseconds until the next report is due. */
  get dueInMs(): number {
    return Math.max(0, this.#reportedAt + reportEveryMs - this.#monotonic.now())
  }

  /** Returns `undefined` when nothing was lost since the last report. */
  take(): LossReport | undefined {
    if (this.#fresh.size === 0) return undefined
    const unwritten = this.#unwritten
    const report = {
      fresh: describeCounts(this.#fresh),
      unwritten: describeCounts(unwritten),
      restore: () => increase(this.#unwritten, unwritten),
    }
    this.#fresh = new Map()
    this.#unwritten = new Map()
    this.#reportedAt = this.#monotonic.now()
    return report
  }
}

function increase(counts: Counts, by: Counts): void {
  for (const [kind, count] of by) counts.set(kind, (counts.get(kind) ?? 0) + count)
}

function describeCounts(counts: Counts): Loss {
  const sorted = [...counts].toSorted(([, a], [, b]) => b - a)
  return {
    count: sorted.reduce((sum, [, count]) => sum + count, 0),
    events: sorted.map(([kind, count]) => `${kind}: ${count}`),
  }
}
