/** A reader of a blob in memory; it stays readable after the blob is deleted. */
import type { BlobReader, ByteSink, CopyOptions, StorageKey } from './blob-store.ts'
import { BlobMissing } from './errors.ts'
import { untilAborted } from './until-aborted.ts'

/** The most bytes per write, so that an abort or a slow peer is noticed between two writes. */
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
