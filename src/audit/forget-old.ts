/** Keeps the audit as old and as long as configured, the oldest first, in batches that keep no push waiting. */
import type { Clock } from '../lib/clock.ts'
import { forgetAuditEventsBefore, forgetAuditEventsBeyond } from '../metadata/audit-events.ts'
import type { Transaction } from '../metadata/handles.ts'
import type { Metadata } from '../metadata/metadata.ts'

export interface AuditRetention {
  readonly days: number
  readonly maxRows: number
}

const batch = 500
const dayMs = 24 * 60 * 60 * 1_000

/** Returns how many events were forgotten. */
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
      // Nobody notices what is forgotten once more after a power cut.
      count = await metadata.transact(step, { durable: false })
      forgotten += count
    } while (count === batch)
  }
  return forgotten
}
