/** Keeps the most recently used values within a number of bytes that the caller attributes to them. */
interface Entry<V> {
  readonly value: V
  readonly bytes: number
}

export interface LruStats {
  readonly hits: number
  readonly misses: number
  readonly entries: number
  readonly bytes: number
}

export class Lru<K, V> {
  readonly #maxBytes: number
  /** A map iterates in the order of insertion, so its first key is the one unused for longest. */
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
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.value
  }

  /** What goes first when there is no room; looking does not count as use. */
  get oldestKey(): K | undefined {
    return this.#entries.keys().next().value
  }

  /** Whether so many bytes fit without dropping anything. */
  hasRoomFor(bytes: number): boolean {
    return this.#bytes + bytes <= this.#maxBytes
  }

  /** Replaces what the key had. A value heavier than the whole cache is not kept. */
  set(key: K, value: V, bytes: number): void {
    this.delete(key)
    if (bytes > this.#maxBytes) return
    this.#entries.set(key, { value, bytes })
    this.#bytes += bytes
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) return
      this.delete(oldest)
    }
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
