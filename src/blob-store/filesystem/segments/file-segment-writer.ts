/**
 * Appends to one segment file: chunks are copied into a buffer of the pool, one buffer is written while the next
 * fills, and syncs run beside later writes. The first error sticks: every later `write` and `sync` throws it, and what
 * a `sync` acknowledged stays usable.
 *
 * Copying costs a small part of the hashing, and saves more: chunks that are held until the disk has them survive into the
 * old generation, where their memory comes back only with a full collection (100 uploads held 240 MiB that way, and
 * a fifth of the processor went into collecting).
 */
import type { BufferPool } from '../../../lib/memory/buffer-pool.ts'
import type { Clock } from '../../../lib/clock.ts'
import type { SegmentStart, SegmentWriter, SyncOptions } from '../../blob-store.ts'
import { closeFile, syncData, writeFully } from '../files/file-io.ts'
import { Pace, writerProof } from '../pace.ts'
import { translateError } from '../files/translate-error.ts'
import { WriteBack } from './write-back.ts'

interface SegmentFile {
  readonly fd: number
  /** Where appending starts: the size of the file. */
  readonly offset: number
  readonly onBytes: SegmentStart['onBytes']
  /** Called once, after the descriptor is closed; with the file's size when every byte of it is durable. */
  readonly onClosed?: ((syncedSize: number | undefined) => void) | undefined
  /** Makes the name of the file durable; absent when it already is. */
  readonly syncName: (() => Promise<void>) | undefined
}

interface WriterDeps {
  readonly buffers: BufferPool
  /** Measures the pace of the peer; nobody sets it. */
  readonly monotonic: Clock
}

/** A buffer of the pool and how much of it is taken. */
interface Filling {
  readonly buffer: Uint8Array
  filled: number
  readonly since: number
}

export class FileSegmentWriter implements SegmentWriter {
  readonly #fd: number
  readonly #deps: WriterDeps
  readonly #writeBack: WriteBack
  readonly #onBytes: SegmentStart['onBytes']
  readonly #onClosed: ((syncedSize: number | undefined) => void) | undefined
  #syncName: (() => Promise<void>) | undefined
  #size: number
  #filling: Filling | undefined
  readonly #pace = new Pace(writerProof)
  /** Every buffer sent so far, one after the other; never rejects. */
  #writes: Promise<void> = Promise.resolve()
  /** Every sync asked for so far; never rejects. */
  #syncs: Promise<unknown> = Promise.resolve()
  /** What is durable; `undefined` before anything is. */
  #syncedSize: number | undefined
  #failure: { readonly error: unknown } | undefined
  #isOpen = true

  constructor(file: SegmentFile, deps: WriterDeps) {
    this.#fd = file.fd
    this.#deps = deps
    this.#size = file.offset
    this.#onBytes = file.onBytes
    this.#onClosed = file.onClosed
    this.#syncName = file.syncName
    this.#syncedSize = file.syncName === undefined ? file.offset : undefined
    this.#writeBack = new WriteBack(file.fd)
  }

  get size(): number {
    return this.#size
  }

  async write(bytes: Uint8Array): Promise<void> {
    let rest = bytes
    this.#throwFailure()
    while (rest.byteLength > 0) {
      this.#filling ??= this.#startFilling()
      rest = this.#fill(this.#filling, rest)
      if (this.#filling.filled < this.#filling.buffer.byteLength) return
      const before = this.#writes
      this.#send()
      await before
      this.#throwFailure()
    }
  }

  /** A commit renames the file and syncs that, so the name it has until then may wait for it. */
  async sync({ beforeCommit = false }: SyncOptions = {}): Promise<number> {
    this.#throwFailure()
    const size = this.#size
    const syncName = beforeCommit ? undefined : this.#syncName
    if (this.#syncedSize === size && syncName === undefined) return size
    if (this.#filling !== undefined) this.#send()
    const flushed = this.#flush(this.#writes, syncName)
    this.#syncs = Promise.all([this.#syncs, flushed])
    await flushed
    this.#throwFailure()
    this.#syncedSize = Math.max(this.#syncedSize ?? 0, size)
    return size
  }

  /** Never rejects over lost bytes: what was not synced was never acknowledged. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    const isSynced = this.#failure === undefined && this.#syncedSize === this.#size
    this.#failure ??= { error: new Error('the segment writer is closed') }
    if (this.#filling !== undefined) this.#deps.buffers.giveBack(this.#filling.buffer)
    this.#filling = undefined
    // A descriptor closed under a call may by then be another file's.
    await Promise.all([this.#writes, this.#syncs])
    await this.#writeBack.settle()
    await closeFile(this.#fd)
    this.#onClosed?.(isSynced ? this.#size : undefined)
  }

  #startFilling(): Filling {
    const { buffers, monotonic } = this.#deps
    const large = this.#pace.deservesLarge ? buffers.lendLarge() : undefined
    return { buffer: large ?? buffers.lendSmall(), filled: 0, since: monotonic.now() }
  }

  /** Returns what did not fit. */
  #fill(filling: Filling, bytes: Uint8Array): Uint8Array {
    const part = bytes.subarray(0, filling.buffer.byteLength - filling.filled)
    filling.buffer.set(part, filling.filled)
    filling.filled += part.byteLength
    this.#size += part.byteLength
    return bytes.subarray(part.byteLength)
  }

  #send(): void {
    const sent = this.#filling
    if (sent === undefined) return
    this.#filling = undefined
    this.#pace.note(this.#deps.monotonic.now() - sent.since)
    const start = this.#size - sent.filled
    const bytes = sent.buffer.subarray(0, sent.filled)
    const shown = this.#show(bytes)
    this.#writes = this.#writes.then(async () => {
      await this.#attempt(async () => {
        await writeFully(this.#fd, bytes, start)
        this.#writeBack.noteWritten(sent.filled)
        this.#writeBack.throwFailure()
      })
      await shown
      this.#deps.buffers.giveBack(sent.buffer)
    })
  }

  /** While they are written. Never rejects. */
  async #show(bytes: Uint8Array): Promise<void> {
    try {
      await this.#onBytes?.(bytes)
    } catch (error) {
      this.#failure ??= { error }
    }
  }

  async #flush(writes: Promise<void>, syncName: (() => Promise<void>) | undefined): Promise<void> {
    await writes
    await this.#writeBack.settle()
    await this.#attempt(async () => {
      this.#writeBack.throwFailure()
      await Promise.all([syncData(this.#fd), syncName?.()])
      if (syncName !== undefined) this.#syncName = undefined
    })
  }

  /** Never rejects: a failure is kept for the next call, since nobody may be waiting now. After one nothing is tried any more. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) return
    try {
      await work()
    } catch (error) {
      this.#failure ??= { error: translateError(error, 'store uploaded bytes') }
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
