/** Timers that fire when a test advances their time. */
import type { Timers } from '../../../src/lib/timers.ts'

export class TestTimers implements Timers {
  readonly #pending = new Map<symbol, { readonly at: number; readonly work: () => void }>()
  #now = 0

  /** The number of pending timers. */
  get size(): number {
    return this.#pending.size
  }

  after(ms: number, work: () => void): () => void {
    const id = Symbol('timer')
    this.#pending.set(id, { at: this.#now + ms, work })
    return () => void this.#pending.delete(id)
  }

  /** Advances the time and fires the timers that are due, in the order of their times. */
  advance(ms: number): void {
    this.#now += ms
    const due = [...this.#pending].filter(([, { at }]) => at <= this.#now)
    for (const [id, { work }] of due.toSorted(([, a], [, b]) => a.at - b.at)) {
      if (this.#pending.delete(id)) work()
    }
  }
}
