/**
 * Queues the new sessions of a holder near its ceiling, one transaction at a time. They must count one after the other anyway; on
 * PostgreSQL each would use a connection to wait for the holder's lock, and a few hundred requests of one client would take all
 * connections from other clients.
 */
import { Lru } from '../../lib/memory/lru.ts'

// A few hundred bytes per holder. After a holder is dropped here, its next session finds it near the ceiling again.
const entryBytes = 200
const maxBytes = 1024 * 1024

/** The longest queue of one holder. It includes clients that have disconnected, so it could otherwise grow without limit. */
const maxInLine = 1_000

/** The queue of the holder is so long that this request would not be served in useful time. */
export class LineTooLong extends Error {
  override readonly name = 'LineTooLong'
}

interface Line {
  /** Resolves when the last request in the queue is done. */
  last: Promise<void>
  length: number
}

export class HolderLines {
  readonly #near = new Lru<string, true>({ maxBytes })
  readonly #lines = new Map<string, Line>()

  /** Records what the latest count of the holder's sessions found. */
  note(holder: string, isNear: boolean): void {
    if (isNear) this.#near.set(holder, true, entryBytes)
    else this.#near.delete(holder)
  }

  /** Runs the work at once; for a holder near its ceiling, after the holder's earlier requests. Throws `LineTooLong`. */
  async run<T>(holder: string, work: () => Promise<T>): Promise<T> {
    if (this.#near.get(holder) === undefined) return work()
    const line = this.#lines.get(holder) ?? { last: Promise.resolve(), length: 0 }
    if (line.length >= maxInLine) throw new LineTooLong()
    this.#lines.set(holder, line)
    const before = line.last
    const { promise, resolve } = Promise.withResolvers<void>()
    line.last = promise
    line.length += 1
    try {
      await before
      return await work()
    } finally {
      resolve()
      line.length -= 1
      if (line.length === 0) this.#lines.delete(holder)
    }
  }
}
