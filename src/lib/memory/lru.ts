/**
 * A cache of recently used values, bounded by the sizes that the caller gives. A use only marks a value; to make room, the cache
 * drops the oldest value that has not been used since it was last considered (the clock algorithm; Corbato, A Paging Experiment
 * with the Multics System, 1968). Moving a value at each use would cost more than the look-up itself.
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
  /** A map iterates in insertion order: its first key is the hand of the clock. */
  readonly #entries = new Map<K, Entry<V>>()
  #bytes = 0
  #hits = 0
  #misses = 0

  constructor(options: { readonly maxBytes: number }) {
    this.#maxBytes = options.maxBytes
  }

  /** Sum of the given sizes; never above the limit. */
  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#entries.size
  }

  /** Hits and misses of `get` since the start, and the current content of the cache. */
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

  /** Like `get`, but counts as neither a use nor a hit. */
  peek(key: K): V | undefined {
    return this.#entries.get(key)?.value
  }

  /** The value that is dropped first; looking does not count as a use. */
  get oldestKey(): K | undefined {
    for (const [key, entry] of this.#entries) {
      if (!entry.wasUsed) return key
      this.#entries.delete(key)
      entry.wasUsed = false
      this.#entries.set(key, entry)
    }
    return undefined
  }

  /** Whether this many bytes fit without dropping anything. */
  hasRoomFor(bytes: number): boolean {
    return this.#bytes + bytes <= this.#maxBytes
  }

  /** Replaces the value of the key. A value larger than the cache is not kept. */
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
