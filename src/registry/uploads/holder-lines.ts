/**
 * New sessions of one holder near its ceiling, one transaction at a time. They count one after the other anyway; on
 * PostgreSQL each would wait for the lock of the holder with a connection of its own, and a few hundred requests of one
 * client would keep all the connections from everybody else.
 */
import { Lru } from '../../lib/memory/lru.ts'

// Some hundred bytes per holder. One that is forgotten is found near its ceiling again by its next session.
const entryBytes = 200
const maxBytes = 1024 * 1024

/** In the line of one holder. Clients that left are among them, so that the line could grow without end. */
const maxInLine = 1_000

/** So many of the holder wait that this one is not served in useful time. */
export class LineTooLong extends Error {
  override readonly name = 'LineTooLong'
}

interface Line {
  /** Resolves when the last one is done. */
  last: Promise<void>
  length: number
}

export class HolderLines {
  readonly #near = new Lru<string, true>({ maxBytes })
  readonly #lines = new Map<string, Line>()

  /** What the latest count of the holder's sessions found. */
  note(holder: string, isNear: boolean): void {
    if (isNear) this.#near.set(holder, true, entryBytes)
    else this.#near.delete(holder)
  }

  /** Runs the work at once, or behind the others of a holder that is near its ceiling. Throws `LineTooLong`. */
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
