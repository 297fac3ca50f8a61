/** Appends chunks to a segment in memory. */
import type { Clock } from '../../lib/clock.ts'
import type { SegmentStart, SegmentWriter, StorageKey } from '../blob-store.ts'
import { UploadMissing } from '../errors.ts'

export interface HeldSegment {
  readonly key: StorageKey
  readonly chunks: Uint8Array[]
  size: number
  modifiedAt: number
  /** False once the segment has been removed or opened again. */
  isCurrent: boolean
}

interface WriterDeps {
  readonly clock: Clock
  /** Throws `StoreFull` when this many more bytes do not fit. */
  readonly charge: (bytes: number) => void
  readonly onBytes: SegmentStart['onBytes']
}

export class MemorySegmentWriter implements SegmentWriter {
  readonly #segment: HeldSegment
  readonly #deps: WriterDeps
  #failure: { readonly error: unknown } | undefined

  constructor(segment: HeldSegment, deps: WriterDeps) {
    this.#segment = segment
    this.#deps = deps
  }

  get size(): number {
    return this.#segment.size
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#throwFailure()
    if (!this.#segment.isCurrent) throw new UploadMissing(this.#segment.key)
    try {
      this.#deps.charge(bytes.byteLength)
    } catch (error) {
      this.#failure = { error }
      throw error
    }
    await this.#deps.onBytes?.(bytes)
    this.#segment.chunks.push(bytes)
    this.#segment.size += bytes.byteLength
    this.#segment.modifiedAt = this.#deps.clock.now()
  }

  async sync(): Promise<number> {
    this.#throwFailure()
    return this.#segment.size
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#failure ??= { error: new Error('the segment writer is closed') }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}

/** Returns the chunks that make up the first `size` bytes. */
export function firstBytes({ chunks }: HeldSegment, size: number): Uint8Array[] {
  const kept: Uint8Array[] = []
  let left = size
  for (const chunk of chunks) {
    if (left === 0) break
    const part = chunk.byteLength > left ? chunk.subarray(0, left) : chunk
    kept.push(part)
    left -= part.byteLength
  }
  return kept
}
