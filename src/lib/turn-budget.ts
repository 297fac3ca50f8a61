/**
 * Spreads work that is done at once, without waiting for anything, over turns of the event loop: each turn takes so many bytes of it
 * and leaves the rest to the next, so that others come in between. What is larger has a turn for itself.
 */
interface Waiter {
  readonly bytes: number
  readonly start: () => void
}

export class TurnBudget {
  readonly #maxBytes: number
  readonly #line: Waiter[] = []
  #usedBytes = 0
  #isScheduled = false
  readonly #onTurn = (): void => this.#beginTurn()

  constructor(options: { readonly maxBytes: number }) {
    this.#maxBytes = options.maxBytes
  }

  /** `undefined` when the work may begin now; otherwise resolves in the turn in which it may. */
  take(bytes: number): Promise<void> | undefined {
    this.#schedule()
    if (this.#line.length === 0 && this.#hasRoomFor(bytes)) {
      this.#usedBytes += bytes
      return undefined
    }
    return new Promise((resolve) => this.#line.push({ bytes, start: resolve }))
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(this.#onTurn)
  }

  #beginTurn(): void {
    this.#isScheduled = false
    this.#usedBytes = 0
    for (let next = this.#line[0]; next !== undefined && this.#hasRoomFor(next.bytes); next = this.#line[0]) {
      this.#line.shift()
      this.#usedBytes += next.bytes
      next.start()
    }
    if (this.#usedBytes > 0) this.#schedule()
  }

  #hasRoomFor(bytes: number): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + bytes <= this.#maxBytes
  }
}
