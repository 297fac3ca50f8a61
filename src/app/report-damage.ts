/** Reports content whose row exists but whose bytes do not: a log line and a counter. */
import type { Clock } from '../lib/clock.ts'
import { Lru } from '../lib/memory/lru.ts'
import type { DamagedContent } from '../registry/blob-health.ts'
import type { Metrics } from '../telemetry/metrics.ts'

export interface ReportDamageDeps {
  /** Writes a log line at level error. */
  readonly log: (fields: object, message: string) => void
  /** A clock that never jumps. */
  readonly monotonic: Clock
  readonly metrics: Pick<Metrics, 'onDamage'> | undefined
}

const entryBytes = 200
const maxBytes = 256 * 1024
/** Each damaged digest is logged at most once in this time, because clients repeat their requests. */
const quietMs = 60_000

const advice = {
  blob: 'a blob is damaged; push it again, or restore its file from a backup',
  manifest: 'a manifest is damaged; push it again, or restore the database from a backup',
}

/** Counts every report, and logs at most one per digest and minute at level error. */
export function createDamageReporter(deps: ReportDamageDeps): (damage: DamagedContent) => void {
  const { log, monotonic, metrics } = deps
  const loggedAt = new Lru<string, number>({ maxBytes })
  return ({ kind, ...damage }) => {
    metrics?.onDamage(kind)
    const now = monotonic.now()
    if (now - (loggedAt.get(damage.digest) ?? Number.NEGATIVE_INFINITY) < quietMs) return
    loggedAt.set(damage.digest, now, entryBytes)
    log(damage, advice[kind])
  }
}
