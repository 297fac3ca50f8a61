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
  /** Whether the key is the first in its minute. */
  isNews(key: string): boolean
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

export function createAuditBuffer({ metadata, clock, onError }: AuditBufferDeps): AuditBuffer {
  let buffered: NewAuditEvent[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  const remembered = new Map<string, number>()

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
    /** Also after the clock was set back. */
    isNews(key) {
      const at = clock.now()
      for (const [known, since] of remembered) {
        if (Math.abs(at - since) < newsMs) break
        remembered.delete(known)
      }
      if (remembered.has(key) || remembered.size >= maxRemembered) return false
      remembered.set(key, at)
      return true
    },
    flush,
  }
}
