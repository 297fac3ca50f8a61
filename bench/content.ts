/** Content for the bench: the same in every run when it is read, new on every call when it is written, at almost no cost. */
import type { Hash } from 'node:crypto'
import { createHash, randomBytes } from 'node:crypto'

/** Returns incompressible bytes that depend only on the seed, so that a seeded registry can be reused. */
export function seededBytes(seed: string, sizeBytes: number): Buffer {
  return createHash('shake256', { outputLength: sizeBytes }).update(seed).digest()
}

export interface FreshContent {
  readonly digest: string
  readonly sizeBytes: number
  /** The body in buffers of up to 1 MiB, shared with other bodies. */
  readonly parts: readonly Buffer[]
}

const partBytes = 1024 * 1024
const tailBytes = 64

/**
 * Makes bodies of one size that differ only in their last 64 bytes. The digest of the bytes before them is computed once and
 * continued, so a new body of any size takes microseconds.
 */
export class FreshContentSource {
  readonly sizeBytes: number
  readonly #parts: readonly Buffer[]
  readonly #prefix: Hash

  constructor(sizeBytes: number) {
    this.sizeBytes = sizeBytes
    const block = randomBytes(Math.min(partBytes, sizeBytes))
    const prefixBytes = sizeBytes - tailBytes
    const parts = Array.from({ length: Math.ceil(prefixBytes / partBytes) }, (_, index) =>
      block.subarray(0, Math.min(partBytes, prefixBytes - index * partBytes)),
    )
    this.#parts = parts
    this.#prefix = createHash('sha256')
    for (const part of parts) this.#prefix.update(part)
  }

  next(): FreshContent {
    const tail = randomBytes(tailBytes)
    const digest = `sha256:${this.#prefix.copy().update(tail).digest('hex')}`
    return { digest, sizeBytes: this.sizeBytes, parts: [...this.#parts, tail] }
  }
}
