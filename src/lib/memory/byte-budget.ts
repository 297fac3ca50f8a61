/**
 * Shares a budget of memory between parties. A request that does not fit waits until others return memory or its signal is
 * aborted. The party that holds the least memory goes first, so that many requests of one party do not delay another; among equal
 * parties, the oldest request goes first. No party gets more than its share.
 */
interface Waiter {
  readonly bytes: number
  readonly party: string
  /** The position in the order of arrival. */
  readonly number: number
  readonly start: () => void
}

export interface ByteBudgetOptions {
  readonly maxBytes: number
  /** The share of one party; the whole budget by default. */
  readonly maxPerParty?: number
}

export class ByteBudget {
  readonly #maxBytes: number
  readonly #maxPerParty: number
  /** Waiting requests by party. A set keeps insertion order and lets a request leave from the middle. */
  readonly #lines = new Map<string, Set<Waiter>>()
  #waiting = 0
  #arrivals = 0
  readonly #byParty = new Map<string, number>()
  #takenBytes = 0

  constructor({ maxBytes, maxPerParty = maxBytes }: ByteBudgetOptions) {
    this.#maxBytes = maxBytes
    this.#maxPerParty = maxPerParty
  }

  get takenBytes(): number {
    return this.#takenBytes
  }

  /** The number of waiting requests. */
  get waiting(): number {
    return this.#waiting
  }

  /** Takes the bytes even if they do not fit: for memory that is in use already. */
  take(bytes: number, party = ''): void {
    this.#takenBytes += bytes
    this.#byParty.set(party, this.#takenBy(party) + bytes)
  }

  /** Takes the bytes and returns `true` if they fit and no request waits. */
  tryTake(bytes: number, party = ''): boolean {
    if (this.#waiting > 0 || !this.#hasRoomFor(bytes) || !this.#hasShareFor(bytes, party)) return false
    this.take(bytes, party)
    return true
  }

  /** Resolves when the bytes are taken. Rejects with the signal's reason, and then takes nothing. */
  wait(bytes: number, signal: AbortSignal, party = ''): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason)
        return
      }
      const leave = (): void => {
        this.#remove(waiter)
        reject(signal.reason)
        // Requests behind it may need less.
        this.#advance()
      }
      const start = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const waiter: Waiter = { bytes, party, number: (this.#arrivals += 1), start }
      signal.addEventListener('abort', leave, { once: true })
      this.#add(waiter)
      this.#advance()
    })
  }

  /** `party` must be the one that took them. */
  giveBack(bytes: number, party = ''): void {
    this.#takenBytes -= bytes
    const rest = this.#takenBy(party) - bytes
    if (rest === 0) this.#byParty.delete(party)
    else this.#byParty.set(party, rest)
    this.#advance()
  }

  #add(waiter: Waiter): void {
    const line = this.#lines.get(waiter.party)
    if (line === undefined) this.#lines.set(waiter.party, new Set([waiter]))
    else line.add(waiter)
    this.#waiting += 1
  }

  #remove(waiter: Waiter): void {
    const line = this.#lines.get(waiter.party)
    line?.delete(waiter)
    if (line?.size === 0) this.#lines.delete(waiter.party)
    this.#waiting -= 1
  }

  #advance(): void {
    for (let next = this.#findNext(); next !== undefined; next = this.#findNext()) {
      if (!this.#hasRoomFor(next.bytes)) return
      this.#remove(next)
      this.take(next.bytes, next.party)
      next.start()
    }
  }

  /** Requests that wait for the share of their own party do not delay other parties. */
  #findNext(): Waiter | undefined {
    let next: Waiter | undefined
    let least = Infinity
    for (const [party, [first]] of this.#lines) {
      if (first === undefined || !this.#hasShareFor(first.bytes, party)) continue
      const taken = this.#takenBy(party)
      if (taken > least || (taken === least && next !== undefined && next.number < first.number)) continue
      next = first
      least = taken
    }
    return next
  }

  #takenBy(party: string): number {
    return this.#byParty.get(party) ?? 0
  }

  /** A request above the whole budget gets all of it. */
  #hasRoomFor(bytes: number): boolean {
    return this.#takenBytes + bytes <= this.#maxBytes || this.#takenBytes === 0
  }

  /** A request above the share of its party is the party's only one. */
  #hasShareFor(bytes: number, party: string): boolean {
    const taken = this.#takenBy(party)
    return taken + bytes <= this.#maxPerParty || taken === 0
  }
}
