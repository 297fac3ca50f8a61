/**
 * Appends to one segment file: gathers chunks into batches of 1 MiB, one `writev` in flight while the next batch
 * fills; syncs run beside later writes. The first error sticks: every later `write` and `sync` throws it, and what a
 * `sync` acknowledged stays usable.
 */
import type { SegmentWriter } from '../blob-store.ts'
import { closeFile, syncData, writeFully } from './file-io.ts'
import { translateError } from './translate-error.ts'
import { WriteBack } from './write-back.ts'

const batchBytes = 1024 * 1024
/** IOV_MAX on Linux: beyond it the system call would be split anyway. */
const batchChunks = 1024

interface SegmentFile {
  readonly fd: number
  /** Where appending starts: the size of the file. */
  readonly offset: number
  /** Makes the name of the file durable; absent when it already is. */
  readonly syncName: (() => Promise<void>) | undefined
}

export class FileSegmentWriter implements SegmentWriter {
  readonly #fd: number
  readonly #writeBack: WriteBack
  #syncName: (() => Promise<void>) | undefined
  #size: number
  /** Where the next batch goes. */
  #position: number
  #batch: Uint8Array[] = []
  /** Every batch sent so far, one after the other; never rejects. */
  #writes: Promise<void> = Promise.resolve()
  /** Every sync asked for so far; never rejects. */
  #syncs: Promise<unknown> = Promise.resolve()
  /** What is durable; `undefined` while not even the file's name is. */
  #syncedSize: number | undefined
  #failure: { readonly error: unknown } | undefined
  #isOpen = true

  constructor(file: SegmentFile) {
    this.#fd = file.fd
    this.#size = file.offset
    this.#position = file.offset
    this.#syncName = file.syncName
    this.#syncedSize = file.syncName === undefined ? file.offset : undefined
    this.#writeBack = new WriteBack(file.fd)
  }

  get size(): number {
    return this.#size
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#throwFailure()
    if (bytes.byteLength === 0) return
    this.#batch.push(bytes)
    this.#size += bytes.byteLength
    if (this.#size - this.#position < batchBytes && this.#batch.length < batchChunks) return
    const before = this.#writes
    this.#sendBatch()
    await before
    this.#throwFailure()
  }

  async sync(): Promise<number> {
    this.#throwFailure()
    const size = this.#size
    if (this.#syncedSize === size) return size
    if (this.#batch.length > 0) this.#sendBatch()
    const flushed = this.#flush(this.#writes)
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
    this.#failure ??= { error: new Error('the segment writer is closed') }
    this.#batch = []
    // A descriptor closed under a call may by then be another file's.
    await Promise.all([this.#writes, this.#syncs])
    await this.#writeBack.settle()
    await closeFile(this.#fd)
  }

  #sendBatch(): void {
    const batch = this.#batch
    const start = this.#position
    const end = this.#size
    this.#batch = []
    this.#position = end
    this.#writes = this.#writes.then(() =>
      this.#attempt(async () => {
        await writeFully(this.#fd, batch, start)
        this.#writeBack.noteWritten(end - start)
        this.#writeBack.throwFailure()
      }),
    )
  }

  async #flush(writes: Promise<void>): Promise<void> {
    await writes
    await this.#writeBack.settle()
    await this.#attempt(async () => {
      this.#writeBack.throwFailure()
      await Promise.all([syncData(this.#fd), this.#syncName?.()])
      this.#syncName = undefined
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
