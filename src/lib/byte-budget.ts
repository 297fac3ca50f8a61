/**
 * Shares a number of bytes of memory among those that need some. Whoever does not find room waits, first come, first served,
 * until others give theirs back or its signal is aborted.
 */
interface Waiter {
  readonly bytes: number
  readonly start: () => void
}

export class ByteBudget {
  readonly #maxBytes: number
  /** A set keeps the order of insertion, and lets anyone leave the middle of the line. */
  readonly #line = new Set<Waiter>()
  #takenBytes = 0

  constructor(options: { readonly maxBytes: number }) {
    this.#maxBytes = options.maxBytes
  }

  get takenBytes(): number {
    return this.#takenBytes
  }

  /** How many wait. */
  get waiting(): number {
    return this.#line.size
  }

  /** Takes the bytes whether or not there is room: for memory that is in use already. */
  take(bytes: number): void {
    this.#takenBytes += bytes
  }

  /** Takes the bytes and returns `true` if there is room and nobody waits. */
  tryTake(bytes: number): boolean {
    if (this.#line.size > 0 || !this.#hasRoomFor(bytes)) return false
    this.#takenBytes += bytes
    return true
  }

  /** Resolves when the bytes are taken. Rejects with the reason of the signal, and then nothing is. */
  wait(bytes: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason)
        return
      }
      const leave = (): void => {
        this.#line.delete(waiter)
        reject(signal.reason)
        // Those behind may need less.
        this.#advance()
      }
      const start = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const waiter: Waiter = { bytes, start }
      signal.addEventListener('abort', leave, { once: true })
      this.#line.add(waiter)
      this.#advance()
    })
  }

  giveBack(bytes: number): void {
    this.#takenBytes -= bytes
    this.#advance()
  }

  #advance(): void {
    for (const waiter of this.#line) {
      if (!this.#hasRoomFor(waiter.bytes)) return
      this.#line.delete(waiter)
      this.#takenBytes += waiter.bytes
      waiter.start()
    }
  }

  /** What is larger than the whole budget gets all of it. */
  #hasRoomFor(bytes: number): boolean {
    return this.#takenBytes + bytes <= this.#maxBytes || this.#takenBytes === 0
  }
}
