/** Forwards every call to the store; a decorator overrides the calls that it changes. */
import type { Digest } from '../oci/digest.ts'
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
} from './blob-store.ts'

export abstract class ForwardingBlobStore implements BlobStore {
  readonly #store: BlobStore

  constructor(store: BlobStore) {
    this.#store = store
  }

  get driver(): BlobStore['driver'] {
    return this.#store.driver
  }

  openSegment(key: StorageKey, start: SegmentStart): Promise<SegmentWriter> {
    return this.#store.openSegment(key, start)
  }

  readSegments(key: StorageKey, segments: readonly Segment[], sink: ByteSink): Promise<void> {
    return this.#store.readSegments(key, segments, sink)
  }

  commit(stored: StoredBlob, options: CommitOptions): Promise<void> {
    return this.#store.commit(stored, options)
  }

  stat(stored: StoredBlob): Promise<number | undefined> {
    return this.#store.stat(stored)
  }

  open(stored: StoredBlob): Promise<BlobReader> {
    return this.#store.open(stored)
  }

  delete(key: StorageKey, digest: Digest | undefined): Promise<void> {
    return this.#store.delete(key, digest)
  }

  deleteAll(dead: readonly StoredBytes[]): Promise<readonly KeyFailure[]> {
    return this.#store.deleteAll(dead)
  }

  setAside(bytes: readonly StoredBytes[]): Promise<readonly KeyFailure[]> {
    return this.#store.setAside(bytes)
  }

  listAside(): AsyncIterable<AsideEntry> {
    return this.#store.listAside()
  }

  restoreAside(entry: AsideEntry): Promise<boolean> {
    return this.#store.restoreAside(entry)
  }

  deleteAside(entry: AsideEntry): Promise<void> {
    return this.#store.deleteAside(entry)
  }

  list(): AsyncIterable<StoreEntry> {
    return this.#store.list()
  }

  readInstallationId(): Promise<string | undefined> {
    return this.#store.readInstallationId()
  }

  writeInstallationId(id: string): Promise<void> {
    return this.#store.writeInstallationId(id)
  }

  ping(): Promise<void> {
    return this.#store.ping()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]()
  }
}
