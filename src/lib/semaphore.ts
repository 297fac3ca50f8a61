/** Lets so many run at a time; the others wait in the order of arrival, a bounded number of them. */

/** So many wait already that one more would not be served in useful time. */
export class SemaphoreFull extends Error {
  override readonly name = 'SemaphoreFull'
}

export class Semaphore {
  readonly #maxWaiting: number
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(options: { readonly slots: number; readonly maxWaiting: number }) {
    this.#free = options.slots
    this.#maxWaiting = options.maxWaiting
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Throws `SemaphoreFull` at once when nobody else may wait. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter()
    try {
      return await work()
    } finally {
      this.#leave()
    }
  }

  #enter(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1
      return Promise.resolve()
    }
    if (this.#waiting.length >= this.#maxWaiting) {
      return Promise.reject(new SemaphoreFull(`${this.#maxWaiting} are waiting already`))
    }
    return new Promise((resolve) => void this.#waiting.push(resolve))
  }

  /** The slot goes straight to the next one: nobody who comes now can take it first. */
  #leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free += 1
    else next()
  }
}
