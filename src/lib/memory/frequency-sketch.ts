/**
 * Estimates how often keys were used recently, in constant memory: a count-min sketch whose counters are halved from time to
 * time. TinyLFU uses it to decide what a cache admits (Einziger, Friedman, Manes: TinyLFU, ACM ToS 2017). An estimate is never
 * below the count since the last halving, and above it only where keys share all counters.
 */
const rows = 4
const maxCount = 15
/** The counters are halved after this many recorded uses per counter of a row. */
const notesPerCounter = 4

export class FrequencySketch {
  readonly #columns: number
  readonly #counters: Uint8Array
  #notes = 0

  /** About how many keys to tell apart. */
  constructor(keys: number) {
    this.#columns = 2 ** Math.ceil(Math.log2(keys))
    this.#counters = new Uint8Array(rows * this.#columns)
  }

  note(key: string): void {
    const hash = hashOf(key)
    for (let row = 0; row < rows; row += 1) {
      const index = this.#indexOf(hash, row)
      const count = this.#counters[index] ?? 0
      if (count < maxCount) this.#counters[index] = count + 1
    }
    this.#notes += 1
    if (this.#notes === this.#columns * notesPerCounter) this.#halve()
  }

  /** 0 to 15. */
  estimate(key: string): number {
    const hash = hashOf(key)
    let least = maxCount
    for (let row = 0; row < rows; row += 1) {
      least = Math.min(least, this.#counters[this.#indexOf(hash, row)] ?? 0)
    }
    return least
  }

  /** Rows take different steps from the same hash (Kirsch, Mitzenmacher: Less Hashing, Same Performance, 2006). */
  #indexOf(hash: number, row: number): number {
    const step = Math.imul(hash, 0x9e3779b1) | 1
    return row * this.#columns + (((hash + Math.imul(row, step)) >>> 7) & (this.#columns - 1))
  }

  #halve(): void {
    for (const [index, count] of this.#counters.entries()) this.#counters[index] = count >> 1
    this.#notes = 0
  }
}

/** FNV-1a over UTF-16 units. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  }
  return hash
}
