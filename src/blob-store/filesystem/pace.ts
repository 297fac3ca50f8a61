/**
 * Whether a peer is quick enough to be given large buffers, judged by how long it takes with each. A slow peer comes in
 * bursts, whenever socket buffers have room, so quick moments prove little: each stall makes the proof longer.
 */

/** A buffer done this quickly means 13 MB/s and more even with a small one. */
const quickMs = 5
/** A stall: below 5 MB/s even with a large buffer, for which a small one does. */
const slowMs = 100
/** A reader is proven by 4 MiB in small buffers: so much socket buffers take at once without anybody reading. */
export const readerProof = 64
/** A writer's bytes are real from the first: layers of a few MiB should not pay for many small writes. */
export const writerProof = 4
const stallFactor = 4
const maxToGrow = 16_384

export class Pace {
  #quick = 0
  #needed: number

  /** `proof`: how many quick buffers in a row earn a large one. */
  constructor(proof: number) {
    this.#needed = proof
  }

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
