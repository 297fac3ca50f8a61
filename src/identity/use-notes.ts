/**
 * Notes when credentials were last used, for lists. Uses are collected in memory and written together, so that no request waits.
 * Each is written at most once per `everyMs`; a crash loses unwritten ones.
 */
import type { Clock } from '../lib/clock.ts'
import { MetadataFull } from '../metadata/errors.ts'

export interface UseNotes extends AsyncDisposable {
  note(id: number): void
  /** Resolves when all uses recorded so far are written; never rejects. */
  flush(): Promise<void>
}

export interface UseNotesOptions {
  readonly clock: Clock
  readonly everyMs: number
  /** Writes each id with the time of its use; skip rows whose use was recorded after `before`. */
  readonly write: (uses: ReadonlyMap<number, number>, before: number) => Promise<void>
  readonly onError: (error: unknown) => void
}

const batchMs = 1_000
/** Above this, all are dropped, and some uses are written once more than necessary. */
const maxRemembered = 100_000

export function createUseNotes({ clock, everyMs, write, onError }: UseNotesOptions): UseNotes {
  const noted = new Map<number, number>()
  let pending = new Map<number, number>()
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  /** On a full disk, uses are not written: pulls must not fail because of them. */
  async function writeBatch(uses: ReadonlyMap<number, number>): Promise<void> {
    try {
      await write(uses, clock.now() - everyMs)
    } catch (error) {
      if (!(error instanceof MetadataFull)) onError(error)
    }
  }

  function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const uses = pending
    pending = new Map()
    if (uses.size > 0) writing = writing.then(() => writeBatch(uses))
    return writing
  }

  return {
    /** Also works after the clock was set back. */
    note(id) {
      const now = clock.now()
      const last = noted.get(id)
      if (last !== undefined && Math.abs(now - last) < everyMs) return
      if (noted.size >= maxRemembered) noted.clear()
      noted.set(id, now)
      pending.set(id, now)
      timer ??= setTimeout(() => void flush(), batchMs).unref()
    },
    flush,
    [Symbol.asyncDispose]: flush,
  }
}
