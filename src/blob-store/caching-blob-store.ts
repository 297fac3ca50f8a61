/**
 * Serves small blobs (mostly image configs) from memory: opening, reading and closing a file costs more than the bytes. A storage
 * key is never reused, so a cached blob can never be another blob; when another process deletes a blob, the cache only keeps
 * bytes that nothing requests any more.
 *
 * A full cache admits a blob only if it is requested more often than the blob it would replace: a mirror job that reads
 * everything once evicts nothing, and its blobs are streamed like large ones, without a buffer each.
 */
import { FrequencySketch } from '../lib/memory/frequency-sketch.ts'
import { Lru } from '../lib/memory/lru.ts'
import type { Digest } from '../oci/digest.ts'
import type { BlobReader, BlobStore, KeyFailure, StorageKey, StoredBlob, StoredBytes } from './blob-store.ts'
import { BytesBlobReader } from './bytes-blob-reader.ts'
import { ForwardingBlobStore } from './forwarding-blob-store.ts'

const defaultMaxBlobBytes = 64 * 1024
const defaultMaxBytes = 32 * 1024 * 1024
/** The overhead of an entry beside its bytes, so that a flood of empty blobs cannot outgrow the limit. */
const entryOverheadBytes = 256
/** How many blobs the frequency sketch tells apart: several times as many as the cache holds. */
const sketchedKeys = 8192

export interface BlobCacheOptions {
  /** Larger blobs are not cached. Default 64 KiB. */
  readonly maxBlobBytes?: number | undefined
  /** The most bytes in the cache. Default 32 MiB. */
  readonly maxBytes?: number | undefined
}

/** Opens since the start, and the current content. */
export interface BlobCacheStats {
  readonly hits: number
  readonly misses: number
  /** Opens of blobs that are too large to cache. */
  readonly passed: number
  readonly entries: number
  readonly bytes: number
}

export class CachingBlobStore extends ForwardingBlobStore {
  readonly #maxBlobBytes: number
  readonly #kept: Lru<StorageKey, Uint8Array>
  readonly #frequencies = new FrequencySketch(sketchedKeys)
  /** Reads in progress; they resolve to `undefined` for a blob that is not cached. */
  readonly #loads = new Map<StorageKey, Promise<Uint8Array | undefined>>()
  readonly #counts = { hits: 0, misses: 0, passed: 0 }

  constructor(store: BlobStore, options: BlobCacheOptions = {}) {
    super(store)
    this.#maxBlobBytes = options.maxBlobBytes ?? defaultMaxBlobBytes
    this.#kept = new Lru({ maxBytes: options.maxBytes ?? defaultMaxBytes })
  }

  cacheStats(): BlobCacheStats {
    return { ...this.#counts, entries: this.#kept.size, bytes: this.#kept.bytes }
  }

  override async open(stored: StoredBlob): Promise<BlobReader> {
    this.#frequencies.note(stored.key)
    const found = this.#kept.get(stored.key) ?? this.#loads.get(stored.key)
    // Nothing may be awaited before the load is registered, or concurrent misses would not see it.
    if (found === undefined) return this.#load(stored)
    const bytes = await found
    if (bytes === undefined) return this.#load(stored)
    this.#counts.hits++
    return new BytesBlobReader(stored.key, bytes)
  }

  /** Asks the underlying store, and drops cached bytes of a different size: they were read from a damaged file. */
  override async stat(stored: StoredBlob): Promise<number | undefined> {
    const size = await super.stat(stored)
    const kept = this.#kept.get(stored.key)
    if (kept !== undefined && size !== undefined && kept.byteLength !== size) this.#forget(stored.key)
    return size
  }

  override delete(key: StorageKey, digest: Digest | undefined): Promise<void> {
    return this.#forgetAround([{ key, digest }], () => super.delete(key, digest))
  }

  override deleteAll(dead: readonly StoredBytes[]): Promise<readonly KeyFailure[]> {
    return this.#forgetAround(dead, () => super.deleteAll(dead))
  }

  override setAside(bytes: readonly StoredBytes[]): Promise<readonly KeyFailure[]> {
    return this.#forgetAround(bytes, () => super.setAside(bytes))
  }

  async #forgetAround<T>(bytes: readonly StoredBytes[], remove: () => Promise<T>): Promise<T> {
    for (const { key } of bytes) this.#forget(key)
    try {
      return await remove()
    } finally {
      // Again: an open may have read the bytes before they were removed.
      for (const { key } of bytes) this.#forget(key)
    }
  }

  /** Requests that wait for a read in progress still get its result, but it is not cached. */
  #forget(key: StorageKey): void {
    this.#kept.delete(key)
    this.#loads.delete(key)
  }

  /**
   * Requires a lead of two requests, not one: when blobs are read one after the other, each leads the previous one by the read in
   * progress.
   */
  #deservesPlace(key: StorageKey, size: number): boolean {
    if (size > this.#maxBlobBytes) return false
    const oldest = this.#kept.oldestKey
    if (oldest === undefined || this.#kept.hasRoomFor(weigh(size))) return true
    return this.#frequencies.estimate(key) > this.#frequencies.estimate(oldest) + 1
  }

  async #load(stored: StoredBlob): Promise<BlobReader> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | undefined>()
    promise.catch(() => undefined)
    this.#loads.set(stored.key, promise)
    try {
      const reader = await super.open(stored)
      const bytes = this.#deservesPlace(stored.key, reader.size) ? await readAndClose(reader) : undefined
      resolve(bytes)
      this.#counts[reader.size > this.#maxBlobBytes ? 'passed' : 'misses']++
      if (bytes === undefined) return reader
      if (this.#loads.get(stored.key) === promise) {
        this.#kept.set(stored.key, bytes, weigh(bytes.byteLength))
      }
      return new BytesBlobReader(stored.key, bytes)
    } catch (error) {
      reject(error)
      throw error
    } finally {
      if (this.#loads.get(stored.key) === promise) this.#loads.delete(stored.key)
    }
  }
}

/** Returns how many bytes an entry counts against the limit. */
function weigh(size: number): number {
  return size + entryOverheadBytes
}

async function readAndClose(reader: BlobReader): Promise<Uint8Array> {
  await using blob = reader
  const bytes = Buffer.allocUnsafeSlow(blob.size)
  let filled = 0
  const write = async (part: Uint8Array): Promise<void> => {
    bytes.set(part, filled)
    filled += part.byteLength
  }
  await blob.copyTo({ write }, {})
  return bytes
}
