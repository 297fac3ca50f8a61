/** One write transaction at a time, in the order of arrival. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../lib/clock.ts'

// SQLite answers without a turn of the event loop; a long queue must not keep everybody else from theirs.
const longestStretchMs = 4

export class WriteQueue {
  readonly #clock: Clock
  #last: Promise<unknown> = Promise.resolve()
  #stretchStart = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(async () => {
      await this.#yieldAfterStretch()
      return work()
    })
    this.#last = result.catch(() => undefined)
    return result
  }

  /** Resolves when everything queued so far has ended. */
  async idle(): Promise<void> {
    await this.#last
  }

  async #yieldAfterStretch(): Promise<void> {
    if (this.#clock.now() - this.#stretchStart < longestStretchMs) return
    await nextTurn()
    this.#stretchStart = this.#clock.now()
  }
}
