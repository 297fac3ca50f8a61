/** Removes ended credentials: sessions at once, access tokens after a while. */
import type { Clock } from '../lib/clock.ts'
import { deleteEndedAccessTokens } from '../metadata/identity/access-tokens.ts'
import { deleteExpiredBrowserSessions } from '../metadata/identity/browser-sessions.ts'
import { dayMs } from '../lib/utc-day.ts'
import type { Transaction } from '../metadata/handles.ts'
import type { Metadata } from '../metadata/metadata.ts'

export interface ForgetEndedDeps {
  readonly metadata: Metadata
  readonly clock: Clock
}

/** How long lists still show ended tokens, for anyone who looks for the reason of a refusal. */
const keptTokensMs = 90 * dayMs
const batchSize = 200

/** Returns how many sessions and tokens were removed. */
export async function forgetEnded(
  { metadata, clock }: ForgetEndedDeps,
  { sessionIdleMs }: { readonly sessionIdleMs: number },
  signal: AbortSignal,
): Promise<number> {
  const now = clock.now()
  const sessions = await repeat(metadata, signal, (tx) =>
    deleteExpiredBrowserSessions(tx, { now, usedBefore: now - sessionIdleMs, limit: batchSize }),
  )
  const tokens = await repeat(metadata, signal, (tx) =>
    deleteEndedAccessTokens(tx, { before: now - keptTokensMs, limit: batchSize }),
  )
  return sessions + tokens
}

async function repeat(
  metadata: Metadata,
  signal: AbortSignal,
  deleteSome: (tx: Transaction) => Promise<number>,
): Promise<number> {
  let gone = 0
  for (;;) {
    signal.throwIfAborted()
    const count = await metadata.transact(deleteSome)
    gone += count
    if (count === 0) return gone
  }
}
