/**
 * What changes nothing waits here for a second at most, so that a flood of refusals costs the database little. What
 * costs an attacker nothing is written once a minute; metrics count it all.
 */
import type { Clock } from '../lib/clock.ts'
import { insertAuditEvents } from '../metadata/audit-events.ts'
import type { NewAuditEvent } from '../metadata/audit-events.ts'
import type { Metadata } from '../metadata/metadata.ts'

export interface AuditBuffer {
  /** Not called when the buffer is full. */
  add(event: () => NewAuditEvent): void
  /** Whether the key is the first in its minute, and one of not too many of the party. */
  isNews(key: string, party: string): boolean
  /** Resolves when what was added so far is written; never rejects. */
  flush(): Promise<void>
}

export interface AuditBufferDeps {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

const batchMs = 1_000
/** What comes on top between two writes is not recorded. */
const maxBuffered = 5_000
const newsMs = 60_000
/** Of keys within a minute, those that are remembered, and so recorded. */
const maxRemembered = 10_000
/** Of one party: what it asks for in vain keeps nothing of others from being recorded. */
const maxPerParty = 500

export function createAuditBuffer({ metadata, clock, onError }: AuditBufferDeps): AuditBuffer {
  let buffered: NewAuditEvent[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  const news = createNews(clock)

  async function write(events: readonly NewAuditEvent[]): Promise<void> {
    try {
      await metadata.transact((tx) => insertAuditEvents(tx, events), { durable: false })
    } catch (error) {
      onError(error)
    }
  }

  function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const events = buffered
    buffered = []
    if (events.length > 0) writing = writing.then(() => write(events))
    return writing
  }

  return {
    add(event) {
      if (buffered.length >= maxBuffered) return
      buffered.push(event())
      timer ??= setTimeout(() => void flush(), batchMs).unref()
    },
    isNews: (key, party) => news(key, party),
    flush,
  }
}

/** What of keys is heard once a minute: bounded, for each party too. */
function createNews(clock: Clock): AuditBuffer['isNews'] {
  const remembered = new Map<string, { readonly since: number; readonly party: string }>()
  const parties = new Map<string, number>()

  function count(party: string, change: 1 | -1): void {
    const next = (parties.get(party) ?? 0) + change
    if (next === 0) parties.delete(party)
    else parties.set(party, next)
  }

  /** Also after the clock was set back. */
  function forgetOld(at: number): void {
    for (const [key, { since, party }] of remembered) {
      if (Math.abs(at - since) < newsMs) break
      remembered.delete(key)
      count(party, -1)
    }
  }

  return (key, party) => {
    const at = clock.now()
    forgetOld(at)
    if (remembered.has(key) || remembered.size >= maxRemembered) return false
    if ((parties.get(party) ?? 0) >= maxPerParty) return false
    remembered.set(key, { since: at, party })
    count(party, 1)
    return true
  }
}
