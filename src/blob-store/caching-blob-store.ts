/**
 * Serves small blobs (image configs, mostly) from memory: opening, reading and closing a file costs more than the
 * bytes. A storage key is never reused, so what is kept can never be another blob's; another process's delete only
 * leaves bytes behind that nobody asks for any more.
 *
 * When it is full it admits only what is asked for more often than what it would drop: a mirror job that reads everything once
 * pushes nothing out, and its blobs are streamed like large ones, without a buffer of their own each.
 */
import { FrequencySketch } from '../lib/memory/frequency-sketch.ts'
import { Lru } from '../lib/memory/lru.ts'
import type { Digest } from '../oci/digest.ts'
import type { BlobReader, BlobStore, KeyFailure, StorageKey, StoredBlob, StoredBytes } from './blob-store.ts'
import { BytesBlobReader } from './bytes-blob-reader.ts'
import { ForwardingBlobStore } from './forwarding-blob-store.ts'

const defaultMaxBlobBytes = 64 * 1024
const defaultMaxBytes = 32 * 1024 * 1024
/** What an entry costs beside its bytes, so that a flood of empty blobs cannot outgrow the limit. */
const entryOverheadBytes = 256
/** Of how many blobs the frequencies are told apart: some times as many as the cache holds. */
const sketchedKeys = 8192

export interface BlobCacheOptions {
  /** Blobs up to this size are kept. Default 64 KiB. */
  readonly maxBlobBytes?: number | undefined
  /** What the cache may hold. Default 32 MiB. */
  readonly maxBytes?: number | undefined
}

/** Opens since the start, and what is held now. */
export interface BlobCacheStats {
  readonly hits: number
  readonly misses: number
  /** Opens of blobs that are too large to keep. */
  readonly passed: number
  readonly entries: number
  readonly bytes: number
}

export class CachingBlobStore extends ForwardingBlobStore {
  readonly #maxBlobBytes: number
  readonly #kept: Lru<StorageKey, Uint8Array>
  readonly #frequencies = new FrequencySketch(sketchedKeys)
  /** Reads under way; they end with `undefined` for a blob that is not kept. */
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

  /** What the store beneath holds; kept bytes of another size were read from a damaged file and go. */
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
      // Once more: an open may have read the bytes before they were gone.
      for (const { key } of bytes) this.#forget(key)
    }
  }

  /** Reads under way stay valid for those who wait, but are not kept. */
  #forget(key: StorageKey): void {
    this.#kept.delete(key)
    this.#loads.delete(key)
  }

  /** Twice more often, not once: blobs read in turn are each ahead of the one before by the read that is under way. */
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

/** What an entry counts against the limit. */
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
