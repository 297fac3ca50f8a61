/** Timers that fire when a test moves their time on. */
import type { Timers } from '../../src/lib/timers.ts'

export class TestTimers implements Timers {
  readonly #pending = new Map<symbol, { readonly at: number; readonly work: () => void }>()
  #now = 0

  /** Timers that run. */
  get size(): number {
    return this.#pending.size
  }

  after(ms: number, work: () => void): () => void {
    const id = Symbol('timer')
    this.#pending.set(id, { at: this.#now + ms, work })
    return () => void this.#pending.delete(id)
  }

  /** Fires what is due by then, in the order of the times. */
  advance(ms: number): void {
    this.#now += ms
    const due = [...this.#pending].filter(([, { at }]) => at <= this.#now)
    for (const [id, { work }] of due.toSorted(([, a], [, b]) => a.at - b.at)) {
      if (this.#pending.delete(id)) work()
    }
  }
}
