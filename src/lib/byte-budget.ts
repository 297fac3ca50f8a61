/**
 * Shares a number of bytes of memory among those that need some. Who finds no room waits, first come, first served, until
 * others give theirs back or its signal is aborted. No party gets more than its share, and its requests that wait for the
 * share hold up nobody else.
 */
interface Waiter {
  readonly bytes: number
  readonly party: string
  readonly start: () => void
}

export interface ByteBudgetOptions {
  readonly maxBytes: number
  /** By default a party may take everything. */
  readonly maxPerParty?: number
}

export class ByteBudget {
  readonly #maxBytes: number
  readonly #maxPerParty: number
  /** A set keeps the order of insertion, and lets anyone leave the middle of the line. */
  readonly #line = new Set<Waiter>()
  readonly #byParty = new Map<string, number>()
  #takenBytes = 0

  constructor({ maxBytes, maxPerParty = maxBytes }: ByteBudgetOptions) {
    this.#maxBytes = maxBytes
    this.#maxPerParty = maxPerParty
  }

  get takenBytes(): number {
    return this.#takenBytes
  }

  /** How many wait. */
  get waiting(): number {
    return this.#line.size
  }

  /** Takes the bytes whether or not there is room: for memory that is in use already. */
  take(bytes: number, party = ''): void {
    this.#takenBytes += bytes
    this.#byParty.set(party, this.#takenBy(party) + bytes)
  }

  /** Takes the bytes and returns `true` if there is room and nobody waits. */
  tryTake(bytes: number, party = ''): boolean {
    if (this.#line.size > 0 || !this.#hasRoomFor(bytes) || !this.#hasShareFor(bytes, party)) return false
    this.take(bytes, party)
    return true
  }

  /** Resolves when the bytes are taken. Rejects with the reason of the signal, and then nothing is. */
  wait(bytes: number, signal: AbortSignal, party = ''): Promise<void> {
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
      const waiter: Waiter = { bytes, party, start }
      signal.addEventListener('abort', leave, { once: true })
      this.#line.add(waiter)
      this.#advance()
    })
  }

  /** `party` as they were taken. */
  giveBack(bytes: number, party = ''): void {
    this.#takenBytes -= bytes
    const rest = this.#takenBy(party) - bytes
    if (rest === 0) this.#byParty.delete(party)
    else this.#byParty.set(party, rest)
    this.#advance()
  }

  #advance(): void {
    let waitForShare: Set<string> | undefined
    for (const waiter of this.#line) {
      const { bytes, party, start } = waiter
      if (waitForShare?.has(party) === true) continue
      if (!this.#hasShareFor(bytes, party)) {
        waitForShare ??= new Set()
        waitForShare.add(party)
        continue
      }
      if (!this.#hasRoomFor(bytes)) return
      this.#line.delete(waiter)
      this.take(bytes, party)
      start()
    }
  }

  #takenBy(party: string): number {
    return this.#byParty.get(party) ?? 0
  }

  /** What is larger than the whole budget gets all of it. */
  #hasRoomFor(bytes: number): boolean {
    return this.#takenBytes + bytes <= this.#maxBytes || this.#takenBytes === 0
  }

  /** What is larger than a share is a party's only one. */
  #hasShareFor(bytes: number, party: string): boolean {
    const taken = this.#takenBy(party)
    return taken + bytes <= this.#maxPerParty || taken === 0
  }
}
