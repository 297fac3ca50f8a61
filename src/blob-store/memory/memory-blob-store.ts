/**
 * @module Stores blobs in the memory of this process, for tests and for registries that need not keep data. It keeps the whole
 * contract with one exception: bytes are durable only until the process ends.
 */
import type { Clock } from '../../lib/clock.ts'
import type { Digest } from '../../oci/digest.ts'
import type {
  AsideEntry,
  BlobReader,
  BlobStore,
  ByteSink,
  CommitOptions,
  KeyFailure,
  Segment,
  SegmentStart,
  SegmentWriter,
  StorageKey,
  StoredBlob,
  StoredBytes,
  StoreEntry,
} from '../blob-store.ts'
import { BytesBlobReader, copyBytes } from '../bytes-blob-reader.ts'
import { dayOf } from '../../lib/utc-day.ts'
import { BlobMissing, StoreFull, UploadMissing } from '../errors.ts'
import type { HeldSegment } from './memory-segment-writer.ts'
import { MemorySegmentWriter, firstBytes } from './memory-segment-writer.ts'

export interface MemoryBlobStoreOptions {
  readonly clock: Clock
  /** The most bytes of blobs and segments together; a write that would exceed it fails with `StoreFull`. */
  readonly maxBytes: number
}

interface HeldBlob extends StoredBlob {
  readonly bytes: Uint8Array
  readonly modifiedAt: number
}

/** Bytes that were set aside: a blob, or one segment of the generation. */
interface HeldAside {
  readonly entry: AsideEntry
  readonly content: HeldBlob | { readonly generation: number; readonly segment: HeldSegment }
}

export class MemoryBlobStore implements BlobStore {
  readonly driver = 'memory'
  readonly #clock: Clock
  readonly #maxBytes: number
  readonly #blobs = new Map<string, HeldBlob>()
  readonly #uploads = new Map<StorageKey, Map<number, HeldSegment>>()
  readonly #aside = new Map<string, HeldAside>()
  #heldBytes = 0
  #installationId: string | undefined

  constructor({ clock, maxBytes }: MemoryBlobStoreOptions) {
    this.#clock = clock
    this.#maxBytes = maxBytes
  }

  async openSegment(key: StorageKey, start: SegmentStart): Promise<SegmentWriter> {
    const { generation, offset, onBytes } = start
    const segments = this.#uploads.get(key) ?? new Map<number, HeldSegment>()
    const found = segments.get(generation)
    if ((found?.size ?? 0) < offset) throw new UploadMissing(key)
    const chunks = found === undefined ? [] : firstBytes(found, offset)
    const segment = { key, chunks, size: offset, modifiedAt: this.#clock.now(), isCurrent: true }
    if (found !== undefined) this.#drop(found)
    this.#heldBytes += offset
    this.#uploads.set(key, segments.set(generation, segment))
    return new MemorySegmentWriter(segment, {
      clock: this.#clock,
      charge: (bytes) => this.#charge(bytes),
      onBytes,
    })
  }

  async readSegments(key: StorageKey, segments: readonly Segment[], sink: ByteSink): Promise<void> {
    for (const chunk of this.#recordedChunks(key, segments)) await copyBytes(chunk, sink, undefined)
  }

  async commit(stored: StoredBlob, { segments, generation, onBytes }: CommitOptions): Promise<void> {
    const total = segments.reduce((sum, segment) => sum + segment.size, 0)
    if (this.#blobs.get(nameOf(stored))?.bytes.byteLength !== total) {
      const chunks = this.#recordedChunks(stored.key, segments)
      const isOwn = segments.length === 1 && segments[0]?.generation === generation
      if (!isOwn) for (const chunk of chunks) onBytes?.(chunk)
      this.#heldBytes += total
      this.#blobs.set(nameOf(stored), {
        ...stored,
        bytes: Buffer.concat(chunks),
        modifiedAt: this.#clock.now(),
      })
    }
    this.#removeSegments(stored.key)
  }

  async stat(stored: StoredBlob): Promise<number | undefined> {
    return this.#blobs.get(nameOf(stored))?.bytes.byteLength
  }

  async open(stored: StoredBlob): Promise<BlobReader> {
    const blob = this.#blobs.get(nameOf(stored))
    if (blob === undefined) throw new BlobMissing(stored.key)
    return new BytesBlobReader(stored.key, blob.bytes)
  }

  async delete(key: StorageKey, digest: Digest | undefined): Promise<void> {
    this.#removeSegments(key)
    if (digest === undefined) return
    const name = nameOf({ key, digest })
    this.#heldBytes -= this.#blobs.get(name)?.bytes.byteLength ?? 0
    this.#blobs.delete(name)
  }

  async deleteAll(dead: readonly StoredBytes[]): Promise<readonly KeyFailure[]> {
    for (const { key, digest } of dead) await this.delete(key, digest)
    return []
  }

  async setAside(bytes: readonly StoredBytes[]): Promise<readonly KeyFailure[]> {
    for (const { key, digest } of bytes) {
      if (digest === undefined) this.#setSegmentsAside(key)
      else this.#setBlobAside({ key, digest })
    }
    return []
  }

  async *listAside(): AsyncIterable<AsideEntry> {
    for (const { entry } of this.#aside.values()) yield entry
  }

  async restoreAside({ id, key }: AsideEntry): Promise<boolean> {
    const content = this.#aside.get(id)?.content
    if (content === undefined) return false
    if ('segment' in content) {
      const segments = this.#uploads.get(key) ?? new Map<number, HeldSegment>()
      if (segments.has(content.generation)) return false
      this.#uploads.set(key, segments.set(content.generation, content.segment))
    } else {
      if (this.#blobs.has(nameOf(content))) return false
      this.#blobs.set(nameOf(content), content)
    }
    this.#aside.delete(id)
    return true
  }

  async deleteAside({ id }: AsideEntry): Promise<void> {
    this.#heldBytes -= this.#aside.get(id)?.entry.size ?? 0
    this.#aside.delete(id)
  }

  async *list(): AsyncIterable<StoreEntry> {
    for (const [key, segments] of this.#uploads) {
      const held = [...segments.values()]
      const size = held.reduce((sum, segment) => sum + segment.size, 0)
      const modifiedAt = Math.max(...held.map((segment) => segment.modifiedAt))
      yield { key, digest: undefined, size, modifiedAt }
    }
    for (const { key, digest, bytes, modifiedAt } of this.#blobs.values()) {
      yield { key, digest, size: bytes.byteLength, modifiedAt }
    }
  }

  async readInstallationId(): Promise<string | undefined> {
    return this.#installationId
  }

  async writeInstallationId(id: string): Promise<void> {
    this.#installationId = id
  }

  async ping(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  #setBlobAside(stored: StoredBlob): void {
    const blob = this.#blobs.get(nameOf(stored))
    if (blob === undefined) return
    const { key, digest, bytes, modifiedAt } = blob
    this.#keepAside(nameOf(stored), blob, { key, digest, size: bytes.byteLength, modifiedAt })
    this.#blobs.delete(nameOf(stored))
  }

  #setSegmentsAside(key: StorageKey): void {
    for (const [generation, segment] of this.#uploads.get(key) ?? []) {
      const { size, modifiedAt } = segment
      segment.isCurrent = false
      this.#keepAside(
        `${key}.${generation}`,
        { generation, segment },
        { key, digest: undefined, size, modifiedAt },
      )
    }
    this.#uploads.delete(key)
  }

  #keepAside(name: string, content: HeldAside['content'], entry: StoreEntry): void {
    const setAsideAt = dayOf(this.#clock.now())
    const id = `${setAsideAt}/${name}`
    this.#aside.set(id, { content, entry: { ...entry, id, setAsideAt } })
  }

  /** Counts bytes before they are stored, so that the limit holds at every moment. */
  #charge(bytes: number): void {
    if (this.#heldBytes + bytes > this.#maxBytes) {
      throw new StoreFull(`the blob store in memory holds at most ${this.#maxBytes} bytes`)
    }
    this.#heldBytes += bytes
  }

  #recordedChunks(key: StorageKey, segments: readonly Segment[]): readonly Uint8Array[] {
    const held = this.#uploads.get(key)
    return segments.flatMap(({ generation, size }) => {
      if (size === 0) return []
      const segment = held?.get(generation)
      if (segment === undefined || segment.size < size) throw new UploadMissing(key)
      return firstBytes(segment, size)
    })
  }

  #removeSegments(key: StorageKey): void {
    for (const segment of this.#uploads.get(key)?.values() ?? []) this.#drop(segment)
    this.#uploads.delete(key)
  }

  /** A remaining writer of the segment must not charge the store any more. */
  #drop(segment: HeldSegment): void {
    segment.isCurrent = false
    this.#heldBytes -= segment.size
  }
}

function nameOf({ key, digest }: StoredBlob): string {
  return `${key} ${digest}`
}
