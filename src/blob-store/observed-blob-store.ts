/**
 * Reports the calls of a store for metrics: one report per call, none per chunk, because the data path only counts bytes. The
 * duration of a copy includes the time that its peer took.
 */
import type { Digest } from '../oci/digest.ts'
import type {
  AsideEntry,
  BlobReader,
  BlobStore,
  ByteSink,
  CommitOptions,
  CopyOptions,
  KeyFailure,
  Segment,
  SegmentStart,
  SegmentWriter,
  SyncOptions,
  StorageKey,
  StoredBlob,
  StoredBytes,
} from './blob-store.ts'
import { ForwardingBlobStore } from './forwarding-blob-store.ts'

export type StoreOperation =
  | 'openSegment'
  | 'write'
  | 'sync'
  | 'readSegments'
  | 'commit'
  | 'stat'
  | 'open'
  | 'copy'
  | 'delete'
  | 'setAside'
  | 'restoreAside'
  | 'deleteAside'
  | 'readInstallationId'
  | 'writeInstallationId'
  | 'ping'

export interface StoreObserver {
  /** Called when a call ends; `error` is the error it threw, including a client's abort. Successful writes are not reported. */
  onCall(call: { operation: StoreOperation; durationMs: number; error: unknown }): void
  onBytesRead(bytes: number): void
  onBytesWritten(bytes: number): void
}

export interface ObservedBlobStoreDeps {
  readonly observer: StoreObserver
  /** Returns monotonic milliseconds, with fractions. */
  readonly now: () => number
}

export class ObservedBlobStore extends ForwardingBlobStore {
  readonly #deps: ObservedBlobStoreDeps

  constructor(store: BlobStore, deps: ObservedBlobStoreDeps) {
    super(store)
    this.#deps = deps
  }

  override async openSegment(key: StorageKey, start: SegmentStart): Promise<SegmentWriter> {
    const writer = await observe(this.#deps, 'openSegment', () => super.openSegment(key, start))
    return new ObservedSegmentWriter(writer, this.#deps)
  }

  override readSegments(key: StorageKey, segments: readonly Segment[], sink: ByteSink): Promise<void> {
    const counting = countingSink(this.#deps.observer, sink)
    return observe(this.#deps, 'readSegments', () => super.readSegments(key, segments, counting))
  }

  override commit(stored: StoredBlob, options: CommitOptions): Promise<void> {
    return observe(this.#deps, 'commit', () => super.commit(stored, options))
  }

  override stat(stored: StoredBlob): Promise<number | undefined> {
    return observe(this.#deps, 'stat', () => super.stat(stored))
  }

  override async open(stored: StoredBlob): Promise<BlobReader> {
    const reader = await observe(this.#deps, 'open', () => super.open(stored))
    return new ObservedBlobReader(reader, this.#deps)
  }

  override delete(key: StorageKey, digest: Digest | undefined): Promise<void> {
    return observe(this.#deps, 'delete', () => super.delete(key, digest))
  }

  override deleteAll(dead: readonly StoredBytes[]): Promise<readonly KeyFailure[]> {
    return this.#observeBatch('delete', () => super.deleteAll(dead))
  }

  override setAside(bytes: readonly StoredBytes[]): Promise<readonly KeyFailure[]> {
    return this.#observeBatch('setAside', () => super.setAside(bytes))
  }

  override restoreAside(entry: AsideEntry): Promise<boolean> {
    return observe(this.#deps, 'restoreAside', () => super.restoreAside(entry))
  }

  override deleteAside(entry: AsideEntry): Promise<void> {
    return observe(this.#deps, 'deleteAside', () => super.deleteAside(entry))
  }

  override readInstallationId(): Promise<string | undefined> {
    return observe(this.#deps, 'readInstallationId', () => super.readInstallationId())
  }

  override writeInstallationId(id: string): Promise<void> {
    return observe(this.#deps, 'writeInstallationId', () => super.writeInstallationId(id))
  }

  override ping(): Promise<void> {
    return observe(this.#deps, 'ping', () => super.ping())
  }

  /** Reports the call once, and once more for each key that failed. */
  async #observeBatch(
    operation: StoreOperation,
    work: () => Promise<readonly KeyFailure[]>,
  ): Promise<readonly KeyFailure[]> {
    const failures = await observe(this.#deps, operation, work)
    for (const { error } of failures) this.#deps.observer.onCall({ operation, durationMs: 0, error })
    return failures
  }
}

class ObservedSegmentWriter implements SegmentWriter {
  readonly #writer: SegmentWriter
  readonly #deps: ObservedBlobStoreDeps

  constructor(writer: SegmentWriter, deps: ObservedBlobStoreDeps) {
    this.#writer = writer
    this.#deps = deps
  }

  get size(): number {
    return this.#writer.size
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      await this.#writer.write(bytes)
    } catch (error) {
      this.#deps.observer.onCall({ operation: 'write', durationMs: 0, error })
      throw error
    }
    this.#deps.observer.onBytesWritten(bytes.byteLength)
  }

  sync(options?: SyncOptions): Promise<number> {
    return observe(this.#deps, 'sync', () => this.#writer.sync(options))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer[Symbol.asyncDispose]()
  }
}

class ObservedBlobReader implements BlobReader {
  readonly size: number
  readonly bytes: Uint8Array | undefined
  readonly #reader: BlobReader
  readonly #deps: ObservedBlobStoreDeps

  constructor(reader: BlobReader, deps: ObservedBlobStoreDeps) {
    this.size = reader.size
    this.bytes = reader.bytes
    this.#reader = reader
    this.#deps = deps
  }

  copyTo(sink: ByteSink, options: CopyOptions): Promise<void> {
    const counting = countingSink(this.#deps.observer, sink)
    return observe(this.#deps, 'copy', () => this.#reader.copyTo(counting, options))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader[Symbol.asyncDispose]()
  }
}

function countingSink(observer: StoreObserver, sink: ByteSink): ByteSink {
  return {
    write: (bytes) => {
      observer.onBytesRead(bytes.byteLength)
      return sink.write(bytes)
    },
  }
}

async function observe<T>(
  { observer, now }: ObservedBlobStoreDeps,
  operation: StoreOperation,
  work: () => Promise<T>,
): Promise<T> {
  const startedAt = now()
  try {
    const result = await work()
    observer.onCall({ operation, durationMs: now() - startedAt, error: undefined })
    return result
  } catch (error) {
    observer.onCall({ operation, durationMs: now() - startedAt, error })
    throw error
  }
}
