/**
 * When credentials were last used, for those who list them: collected in memory and written together, so that no request
 * waits for it. Each is written once in `everyMs` at most; what is not written yet is lost with a crash.
 */
import type { Clock } from '../lib/clock.ts'
import { MetadataFull } from '../metadata/errors.ts'

export interface UseNotes extends AsyncDisposable {
  note(id: number): void
  /** Resolves when what was noted so far is written; never rejects. */
  flush(): Promise<void>
}

export interface UseNotesOptions {
  readonly clock: Clock
  readonly everyMs: number
  /** Each id with the time of its use; those that were noted after `before` have it already. */
  readonly write: (uses: ReadonlyMap<number, number>, before: number) => Promise<void>
  readonly onError: (error: unknown) => void
}

const batchMs = 1_000
/** Then all are forgotten, and some written once more than they had to be. */
const maxRemembered = 100_000

export function createUseNotes({ clock, everyMs, write, onError }: UseNotesOptions): UseNotes {
  const noted = new Map<number, number>()
  let pending = new Map<number, number>()
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  /** Without space it stays unnoted: a full disk must not keep anybody from pulling. */
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
    /** Also after the clock was set back. */
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
