/** Content for the bench: the same on every run where it is read, new on every call where it is written, at no cost. */
import type { Hash } from 'node:crypto'
import { createHash, randomBytes } from 'node:crypto'

/** Incompressible bytes that depend on the seed alone, so that a registry seeded before need not be seeded again. */
export function seededBytes(seed: string, sizeBytes: number): Buffer {
  return createHash('shake256', { outputLength: sizeBytes }).update(seed).digest()
}

export interface FreshContent {
  readonly digest: string
  readonly sizeBytes: number
  /** The body in buffers of up to 1 MiB; they are shared with other bodies. */
  readonly parts: readonly Buffer[]
}

const partBytes = 1024 * 1024
const tailBytes = 64

/**
 * Makes bodies of one size that differ in their last 64 bytes only. The digest of all that comes before is
 * computed once and carried on from there, so a new body of any size costs microseconds.
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
