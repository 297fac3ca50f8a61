/**
 * Whether a peer is quick enough to be given large buffers, judged by how long it takes with each. A slow peer comes in
 * bursts, whenever socket buffers have room, so quick moments prove little: each stall makes the proof longer.
 */

/** A buffer done this quickly means 13 MB/s and more even with a small one. */
const quickMs = 5
/** A stall: below 5 MB/s even with a large buffer, for which a small one does. */
const slowMs = 100
/** 4 MiB of small buffers: so much socket buffers take at once without anybody reading. */
const quickToGrow = 64
const stallFactor = 4
const maxToGrow = 16_384

export class Pace {
  #quick = 0
  #needed = quickToGrow

  /** The peer took `ms` with a buffer. */
  note(ms: number): void {
    if (ms > slowMs) {
      this.#quick = 0
      this.#needed = Math.min(this.#needed * stallFactor, maxToGrow)
    } else if (ms <= quickMs) this.#quick += 1
    else if (!this.deservesLarge) this.#quick = 0
  }

  get deservesLarge(): boolean {
    return this.#quick >= this.#needed
  }
}
