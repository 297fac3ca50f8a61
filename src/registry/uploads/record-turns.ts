/**
 * Limits how many sessions record at the same time because their second has passed. Each record syncs a file, which blocks a
 * thread of the pool that reads and writes need too. So many slow uploads wait for each other here, instead of delaying
 * everything else.
 */
interface Waiting {
  readonly work: () => Promise<void>
}

export class RecordTurns {
  readonly #waiting = new Set<Waiting>()
  #free: number

  constructor(slots: number) {
    this.#free = slots
  }

  /**
   * Runs the work when a place is free, in the order of the calls; the work must not reject. Returns a function that cancels it.
   */
  request(work: () => Promise<void>): () => void {
    const waiting = { work }
    this.#waiting.add(waiting)
    this.#startNext()
    return () => void this.#waiting.delete(waiting)
  }

  #startNext(): void {
    const [next] = this.#waiting
    if (next === undefined || this.#free === 0) return
    this.#waiting.delete(next)
    this.#free -= 1
    void next.work().finally(() => {
      this.#free += 1
      this.#startNext()
    })
  }
}
