/**
 * Copies a range of an open file to a sink. Two reads are in progress at a time, so that the disk works while the peer drains;
 * buffers come from the pool. A transfer starts with small buffers and uses large ones once its peer proves to be fast.
 */
import type { BufferPool } from '../../../lib/memory/buffer-pool.ts'
import type { Clock } from '../../../lib/clock.ts'
import type { ByteSink } from '../../blob-store.ts'
import { untilAborted } from '../../until-aborted.ts'
import { readFully } from './file-io.ts'
import { Pace, readerProof } from '../pace.ts'
import { translateError } from './translate-error.ts'

/** Shared by all copies of one store. */
export interface CopyDeps {
  readonly buffers: BufferPool
  /** A clock that never jumps; measures the pace of the peer. */
  readonly monotonic: Clock
}

export interface FileRange {
  readonly fd: number
  readonly start: number
  /** The offset after the last byte to copy. */
  readonly end: number
  /** The error for a file that ends before the range does. */
  readonly tooShort: () => Error
}

/** A read in progress: `buffer` is being filled, and `filled` resolves to the filled part. */
interface Read {
  readonly buffer: Uint8Array
  readonly filled: Promise<Uint8Array>
}

export async function copyFile(
  range: FileRange,
  sink: ByteSink,
  options: { deps: CopyDeps; signal: AbortSignal | undefined },
): Promise<void> {
  options.signal?.throwIfAborted()
  const copy = new FileCopy(range, options.deps)
  try {
    await copy.run(sink, options.signal)
  } finally {
    await copy.releaseReads()
  }
}

class FileCopy {
  readonly #range: FileRange
  readonly #buffers: BufferPool
  readonly #monotonic: Clock
  readonly #reads: Read[] = []
  #position: number
  readonly #pace = new Pace(readerProof)

  constructor(range: FileRange, deps: CopyDeps) {
    this.#range = range
    this.#buffers = deps.buffers
    this.#monotonic = deps.monotonic
    this.#position = range.start
  }

  async run(sink: ByteSink, signal: AbortSignal | undefined): Promise<void> {
    this.#startRead(this.#buffers.lendSmall())
    if (this.#position < this.#range.end) this.#startRead(this.#buffers.lendSmall())
    for (let read = this.#reads[0]; read !== undefined; read = this.#reads[0]) {
      const bytes = await read.filled
      signal?.throwIfAborted()
      this.#reads.shift()
      const buffer = await this.#write({ ...read, bytes }, { sink, signal })
      if (this.#position < this.#range.end) this.#startRead(buffer)
      else this.#buffers.giveBack(buffer)
    }
  }

  /** Writes the bytes and returns the buffer for the next read. */
  async #write(
    { buffer, bytes }: { buffer: Uint8Array; bytes: Uint8Array },
    { sink, signal }: { sink: ByteSink; signal: AbortSignal | undefined },
  ): Promise<Uint8Array> {
    const startedAt = this.#monotonic.now()
    try {
      await untilAborted(sink.write(bytes), signal)
    } catch (error) {
      // The sink may still read these bytes, so the buffer must never be used by another transfer.
      this.#buffers.forget(buffer)
      throw error
    }
    return this.#resize(buffer, this.#monotonic.now() - startedAt)
  }

  #resize(buffer: Uint8Array, writeMs: number): Uint8Array {
    this.#pace.note(writeMs)
    const isSmall = buffer.byteLength === this.#buffers.smallBytes
    const { deservesLarge } = this.#pace
    if (isSmall && deservesLarge && this.#position < this.#range.end) {
      return this.#exchange(buffer, this.#buffers.lendLarge())
    }
    if (!isSmall && !deservesLarge) return this.#exchange(buffer, this.#buffers.lendSmall())
    return buffer
  }

  #exchange(buffer: Uint8Array, other: Uint8Array | undefined): Uint8Array {
    if (other === undefined) return buffer
    this.#buffers.giveBack(buffer)
    return other
  }

  #startRead(buffer: Uint8Array): void {
    const { fd, end, tooShort } = this.#range
    const position = this.#position
    const target = buffer.subarray(0, Math.min(buffer.byteLength, end - position))
    this.#position += target.byteLength
    const filled = readTranslated(fd, target, position).then((count) => {
      if (count < target.byteLength) throw tooShort()
      return target
    })
    // The rejection is handled where the read is awaited, which may be long after: the sink handles the buffer before it first.
    filled.catch(() => undefined)
    this.#reads.push({ buffer, filled })
  }

  /** Releases the buffers after a failure: a buffer is free only when the system has stopped writing into it. */
  async releaseReads(): Promise<void> {
    for (const read of this.#reads.splice(0)) {
      await read.filled.catch(() => undefined)
      this.#buffers.giveBack(read.buffer)
    }
  }
}

/** Translates errors here and not around the whole copy, because a sink may throw its own system errors. */
async function readTranslated(fd: number, target: Uint8Array, position: number): Promise<number> {
  try {
    return await readFully(fd, target, position)
  } catch (error) {
    throw translateError(error, 'read stored bytes')
  }
}
