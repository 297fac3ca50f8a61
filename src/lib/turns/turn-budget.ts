/**
 * Spreads synchronous work over turns of the event loop: each turn handles a limited number of bytes, so that other work runs in
 * between. Work above the limit gets its own turn. Work of unknown size takes an estimate and settles it afterwards, so that many
 * small pieces still share a turn.
 */
interface Waiter {
  readonly bytes: number
  readonly start: () => void
}

export class TurnBudget {
  readonly #maxBytes: number
  readonly #line: Waiter[] = []
  #usedBytes = 0
  #turn = 0
  #isScheduled = false
  readonly #onTurn = (): void => this.#beginTurn()

  constructor(options: { readonly maxBytes: number }) {
    this.#maxBytes = options.maxBytes
  }

  /** `undefined` if the work may begin now; otherwise a promise that resolves in the turn in which it may. */
  take(bytes: number): Promise<void> | undefined {
    this.#schedule()
    if (this.#line.length === 0 && this.#hasRoomFor(bytes)) {
      this.#usedBytes += bytes
      return undefined
    }
    return new Promise((resolve) => this.#line.push({ bytes, start: resolve }))
  }

  /** Names the current turn, for `settle`. */
  get turn(): number {
    return this.#turn
  }

  /** Replaces the estimate of work that began in `turn` by its actual size. */
  settle({ turn, taken, actual }: { turn: number; taken: number; actual: number }): void {
    this.#usedBytes += turn === this.#turn ? actual - taken : actual
    this.#schedule()
    this.#advance()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(this.#onTurn)
  }

  #beginTurn(): void {
    this.#isScheduled = false
    this.#usedBytes = 0
    this.#turn += 1
    this.#advance()
    if (this.#usedBytes > 0) this.#schedule()
  }

  #advance(): void {
    for (let next = this.#line[0]; next !== undefined && this.#hasRoomFor(next.bytes); next = this.#line[0]) {
      this.#line.shift()
      this.#usedBytes += next.bytes
      next.start()
    }
  }

  #hasRoomFor(bytes: number): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + bytes <= this.#maxBytes
  }
}
