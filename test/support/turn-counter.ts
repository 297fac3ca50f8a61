/** Counts the turns of the event loop that other work gets, from construction until disposal. */
export class TurnCounter implements Disposable {
  #turns = 0
  #isCounting = true

  constructor() {
    setImmediate(() => this.#count())
  }

  get turns(): number {
    return this.#turns
  }

  [Symbol.dispose](): void {
    this.#isCounting = false
  }

  #count(): void {
    this.#turns += 1
    if (this.#isCounting) setImmediate(() => this.#count())
  }
}
