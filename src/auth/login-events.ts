/**
 * Writes who logged in, in batches of a second at most: a flood of failures costs the database little. Refusals for too
 * many attempts cost an attacker nothing, so of these one a minute is kept for each address; metrics count them all.
 */
import type { Clock } from '../lib/clock.ts'
import { deleteLoginEvents, insertLoginEvents } from '../metadata/login-events.ts'
import type { LoginEvent, LoginOutcome } from '../metadata/login-events.ts'
import type { Metadata } from '../metadata/metadata.ts'
import type { Origin } from './identity.ts'

export interface LoginEvents extends AsyncDisposable {
  record(event: Pick<LoginEvent, 'accountId' | 'method' | 'outcome'>, origin: Origin): void
  /** Resolves when what was recorded so far is written; never rejects. */
  flush(): Promise<void>
}

export interface LoginEventsDeps {
  readonly metadata: Metadata
  readonly clock: Clock
  /** The batch that could not be written is lost. */
  readonly onError: (error: unknown) => void
  readonly onLogin?: ((outcome: LoginOutcome) => void) | undefined
}

const batchMs = 1_000
/** What comes on top between two writes is not recorded. */
const maxBuffered = 5_000
const keptMs = 90 * 24 * 60 * 60 * 1_000
/** More than come in, so that old ones never pile up. */
const trimmedPerEvent = 2
const refusalMs = 60_000
/** Of addresses refused within a minute, those that are remembered, and so recorded. */
const maxRefused = 10_000
const maxClientCharacters = 200

export function createLoginEvents({ metadata, clock, onError, onLogin }: LoginEventsDeps): LoginEvents {
  let buffered: LoginEvent[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  const refused = new Map<string, number>()

  async function write(events: readonly LoginEvent[]): Promise<void> {
    try {
      const before = clock.now() - keptMs
      const limit = trimmedPerEvent * events.length
      await metadata.transact(
        async (tx) => {
          await insertLoginEvents(tx, events)
          await deleteLoginEvents(tx, { before, limit })
        },
        { durable: false },
      )
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

  /** Whether it is the first in its minute. Also after the clock was set back. */
  function isNews(address: string, at: number): boolean {
    for (const [key, since] of refused) {
      if (Math.abs(at - since) < refusalMs) break
      refused.delete(key)
    }
    if (refused.has(address) || refused.size >= maxRefused) return false
    refused.set(address, at)
    return true
  }

  return {
    record(event, { address, client }) {
      onLogin?.(event.outcome)
      if (buffered.length >= maxBuffered) return
      const at = clock.now()
      if (event.outcome === 'throttled' && !isNews(address, at)) return
      buffered.push({ ...event, at, address, client: client?.slice(0, maxClientCharacters) })
      timer ??= setTimeout(() => void flush(), batchMs).unref()
    },
    flush,
    [Symbol.asyncDispose]: flush,
  }
}
