/**
 * New sessions of one holder near its ceiling, one transaction at a time. They count one after the other anyway; on
 * PostgreSQL each would wait for the lock of the holder with a connection of its own, and a few hundred requests of one
 * client would keep all the connections from everybody else.
 */
import { Lru } from '../../lib/lru.ts'

// Some hundred bytes per holder. One that is forgotten is found near its ceiling again by its next session.
const entryBytes = 200
const maxBytes = 1024 * 1024

export class HolderLines {
  readonly #near = new Lru<string, true>({ maxBytes })
  /** Resolves when the last in the line of a holder is done. */
  readonly #last = new Map<string, Promise<void>>()

  /** What the latest count of the holder's sessions found. */
  note(holder: string, isNear: boolean): void {
    if (isNear) this.#near.set(holder, true, entryBytes)
    else this.#near.delete(holder)
  }

  /** Runs the work at once, or behind the others of a holder that is near its ceiling. */
  async run<T>(holder: string, work: () => Promise<T>): Promise<T> {
    if (this.#near.get(holder) === undefined) return work()
    const before = this.#last.get(holder)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#last.set(holder, promise)
    try {
      await before
      return await work()
    } finally {
      resolve()
      if (this.#last.get(holder) === promise) this.#last.delete(holder)
    }
  }
}
