/** A blob that is held in memory; deleting it takes nothing from its readers. */
import type { BlobReader, ByteSink, CopyOptions, StorageKey } from './blob-store.ts'
import { BlobMissing } from './errors.ts'
import { untilAborted } from './until-aborted.ts'

/** One write never hands over more, so that an abort or a slow peer is noticed in between. */
const writeBytes = 512 * 1024

export class BytesBlobReader implements BlobReader {
  readonly size: number
  readonly bytes: Uint8Array | undefined
  readonly #key: StorageKey
  readonly #content: Uint8Array

  constructor(key: StorageKey, content: Uint8Array) {
    this.size = content.byteLength
    this.bytes = content.byteLength <= writeBytes ? content : undefined
    this.#key = key
    this.#content = content
  }

  async copyTo(sink: ByteSink, { range, signal }: CopyOptions): Promise<void> {
    const end = range === undefined ? this.size : range.end + 1
    if (end > this.size) throw new BlobMissing(this.#key)
    await copyBytes(this.#content.subarray(range?.start ?? 0, end), sink, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

export async function copyBytes(
  bytes: Uint8Array,
  sink: ByteSink,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted()
  for (let start = 0; start < bytes.byteLength; start += writeBytes) {
    await untilAborted(sink.write(bytes.subarray(start, start + writeBytes)), signal)
    signal?.throwIfAborted()
  }
}
