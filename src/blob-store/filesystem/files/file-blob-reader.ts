/** An open blob file; the descriptor keeps the bytes readable after the file is unlinked. */
import type { BlobReader, ByteSink, CopyOptions, StorageKey } from '../../blob-store.ts'
import { BlobMissing } from '../../errors.ts'
import type { CopyDeps } from './copy-file.ts'
import { copyFile } from './copy-file.ts'
import { closeFile } from './file-io.ts'

export class FileBlobReader implements BlobReader {
  readonly size: number
  readonly #fd: number
  readonly #key: StorageKey
  readonly #deps: CopyDeps
  /**
   * The owner and every copy in progress. The last one to leave closes the descriptor: if it were closed during a read, the read
   * could reach another file that reuses its number.
   */
  #users = 1
  #isOpen = true

  constructor(file: { fd: number; size: number; key: StorageKey }, deps: CopyDeps) {
    this.size = file.size
    this.#fd = file.fd
    this.#key = file.key
    this.#deps = deps
  }

  async copyTo(sink: ByteSink, { range, signal }: CopyOptions): Promise<void> {
    if (!this.#isOpen) throw new Error('the blob reader is closed')
    const start = range?.start ?? 0
    const end = range === undefined ? this.size : range.end + 1
    if (start >= end) return
    const tooShort = (): Error => new BlobMissing(this.#key)
    this.#users++
    try {
      await copyFile({ fd: this.#fd, start, end, tooShort }, sink, { deps: this.#deps, signal })
    } finally {
      await this.#leave()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    await this.#leave()
  }

  async #leave(): Promise<void> {
    this.#users--
    if (this.#users === 0) await closeFile(this.#fd)
  }
}
