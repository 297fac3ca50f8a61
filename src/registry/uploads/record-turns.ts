/**
 * How many sessions record at the same time because a second passed. Each record syncs a file, which takes a thread of the
 * pool that reads and writes need too. Many slow uploads therefore wait for each other here, and not everybody for them.
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

  /** Runs the work when a place is free, in the order of the calls; it must not reject. Returns how to call it off. */
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
