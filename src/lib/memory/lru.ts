/**
 * Keeps the values used of late within a number of bytes that the caller attributes to them. A use only marks a value: what
 * is to be dropped is the oldest that was not used since it was looked at last (the clock algorithm; Corbato, A Paging
 * Experiment with the Multics System, 1968). Moving each value at each use would cost a pull more than its look-up.
 */
interface Entry<V> {
  readonly value: V
  readonly bytes: number
  wasUsed: boolean
}

export interface LruStats {
  readonly hits: number
  readonly misses: number
  readonly entries: number
  readonly bytes: number
}

export class Lru<K, V> {
  readonly #maxBytes: number
  /** A map iterates in the order of insertion: its first key is where the hand of the clock stands. */
  readonly #entries = new Map<K, Entry<V>>()
  #bytes = 0
  #hits = 0
  #misses = 0

  constructor(options: { readonly maxBytes: number }) {
    this.#maxBytes = options.maxBytes
  }

  /** Sum of what the entries were said to weigh; never above the limit. */
  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#entries.size
  }

  /** Answers of `get` since the start, and what is held now. */
  stats(): LruStats {
    return { hits: this.#hits, misses: this.#misses, entries: this.#entries.size, bytes: this.#bytes }
  }

  get(key: K): V | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) {
      this.#misses++
      return undefined
    }
    this.#hits++
    entry.wasUsed = true
    return entry.value
  }

  /** The same, but neither counted nor a use. */
  peek(key: K): V | undefined {
    return this.#entries.get(key)?.value
  }

  /** What goes first when there is no room; looking does not count as use. */
  get oldestKey(): K | undefined {
    for (const [key, entry] of this.#entries) {
      if (!entry.wasUsed) return key
      this.#entries.delete(key)
      entry.wasUsed = false
      this.#entries.set(key, entry)
    }
    return undefined
  }

  /** Whether so many bytes fit without dropping anything. */
  hasRoomFor(bytes: number): boolean {
    return this.#bytes + bytes <= this.#maxBytes
  }

  /** Replaces what the key had. A value heavier than the whole cache is not kept. */
  set(key: K, value: V, bytes: number): void {
    this.delete(key)
    if (bytes > this.#maxBytes) return
    while (this.#bytes + bytes > this.#maxBytes) {
      const { oldestKey } = this
      if (oldestKey === undefined) break
      this.delete(oldestKey)
    }
    this.#entries.set(key, { value, bytes, wasUsed: false })
    this.#bytes += bytes
  }

  delete(key: K): boolean {
    const entry = this.#entries.get(key)
    if (entry === undefined) return false
    this.#bytes -= entry.bytes
    return this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
    this.#bytes = 0
  }
}
