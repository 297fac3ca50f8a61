/** Deletes the oldest events until the audit is within its configured age and length, in batches that do not block pushes. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../lib/clock.ts'
import { dayMs } from '../lib/utc-day.ts'
import { forgetAuditEventsBefore, forgetAuditEventsBeyond } from '../metadata/audit/audit-events.ts'
import type { Transaction } from '../metadata/handles.ts'
import type { Metadata } from '../metadata/metadata.ts'

export interface AuditRetention {
  readonly days: number
  readonly maxRows: number
}

/** Each event is in six indexes: a batch takes a few milliseconds. */
const batch = 100

/** Returns how many events were deleted. */
export async function forgetOldAudit(
  { metadata, clock }: { readonly metadata: Metadata; readonly clock: Clock },
  { days, maxRows }: AuditRetention,
  signal: AbortSignal,
): Promise<number> {
  const before = clock.now() - days * dayMs
  const steps = [
    (tx: Transaction) => forgetAuditEventsBefore(tx, { before, limit: batch }),
    (tx: Transaction) => forgetAuditEventsBeyond(tx, { keep: maxRows, limit: batch }),
  ]
  let forgotten = 0
  for (const step of steps) {
    let count: number
    do {
      signal.throwIfAborted()
      // Need not be durable: after a power cut the same events are deleted again.
      count = await metadata.transact(step, { durable: false })
      forgotten += count
      await nextTurn()
    } while (count === batch)
  }
  return forgotten
}
