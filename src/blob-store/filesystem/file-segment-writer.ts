/**
 * Appends to one segment file: gathers chunks into batches of 1 MiB, one `writev` in flight while the next batch
 * fills. The first error sticks: every later `write` and `sync` throws it, and what a `sync` acknowledged stays usable.
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
  /** Bytes handed to the system; the batch in flight included. */
  #position: number
  #batch: Uint8Array[] = []
  /** What uses the descriptor now; never rejects. The descriptor is not closed before it ends. */
  #inFlight: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  /** What is durable; `undefined` while not even the file's name is. */
  #syncedSize: number | undefined
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
    await this.#inFlight
    this.#throwFailure()
    this.#inFlight = this.#sendBatch()
  }

  async sync(): Promise<number> {
    await this.#inFlight
    this.#throwFailure()
    if (this.#syncedSize === this.#size) return this.#size
    this.#inFlight = this.#flush()
    await this.#inFlight
    this.#throwFailure()
    this.#syncName = undefined
    this.#syncedSize = this.#size
    return this.#size
  }

  async #flush(): Promise<void> {
    if (this.#batch.length > 0) await this.#sendBatch()
    await this.#writeBack.settle()
    if (this.#failure !== undefined) return
    await this.#attempt(async () => {
      this.#writeBack.throwFailure()
      await Promise.all([syncData(this.#fd), this.#syncName?.()])
    })
  }

  /** Never rejects over lost bytes: what was not synced was never acknowledged. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#failure ??= { error: new Error('the segment writer is closed') }
    this.#batch = []
    await this.#inFlight
    await this.#writeBack.settle()
    await closeFile(this.#fd)
  }

  /** Never rejects: a failure is kept for the next call, since nobody may be waiting now. */
  async #sendBatch(): Promise<void> {
    const batch = this.#batch
    const start = this.#position
    const end = this.#size
    this.#batch = []
    this.#position = end
    await this.#attempt(async () => {
      await writeFully(this.#fd, batch, start)
      this.#writeBack.noteWritten(end - start)
      this.#writeBack.throwFailure()
    })
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
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
