/**
 * Whether a peer is fast enough for large buffers, judged by the time that each buffer takes. A slow peer drains in bursts,
 * whenever socket buffers have room, so a few fast buffers prove little: each stall raises the number of fast buffers required.
 */

/** A buffer transferred in this time means at least 13 MB/s, even if it is a small one. */
const quickMs = 5
/** A stall: below 5 MB/s even for a large buffer. A small buffer is enough at that speed. */
const slowMs = 100
/**
 * Small buffers until a reader counts as fast, 4 MiB in total: socket buffers accept this much before the peer reads anything.
 */
export const readerProof = 64
/**
 * Lower than for readers, because a writer's bytes have really arrived: layers of a few MiB should not pay for many small writes.
 */
export const writerProof = 4
const stallFactor = 4
const maxToGrow = 16_384

export class Pace {
  #quick = 0
  #needed: number

  /** `proof`: how many fast buffers in a row earn a large one. */
  constructor(proof: number) {
    this.#needed = proof
  }

  /** Records that the peer took `ms` for a buffer. */
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
