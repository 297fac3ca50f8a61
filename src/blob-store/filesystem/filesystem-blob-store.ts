/**
 * @module Stores blobs as files in one folder; see `layout.ts`. Several processes of one machine may open the same folder: the
 * files are the only state, and anything kept in memory only saves calls. System errors are translated into errors of the store;
 * see `translate-error.ts`.
 */
import { constants } from 'node:fs'
import type { BufferPool } from '../../lib/memory/buffer-pool.ts'
import { monotonicClock, type Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
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
import { BlobMissing, UploadMissing } from '../errors.ts'
import { openBlobFile, statBlob } from './files/blob-file.ts'
import type { CommitDeps } from './segments/commit-segments.ts'
import { commitSegments } from './segments/commit-segments.ts'
import { copySegments, openSegmentFile } from './segments/copy-segments.ts'
import { deleteAll } from './files/delete-all.ts'
import { FileBlobReader } from './files/file-blob-reader.ts'
import { closeFile, openFile, statFile, truncateFile } from './files/file-io.ts'
import { FileSegmentWriter } from './segments/file-segment-writer.ts'
import { FolderDescriptors } from './files/folder-descriptors.ts'
import { FolderSyncs } from './files/folder-syncs.ts'
import type { Layout } from './layout.ts'
import { blobPath, createLayout, fileMode, installationDraftPath, segmentPath } from './layout.ts'
import { listEntries } from './list-entries.ts'
import { makeFolders } from './files/make-folders.ts'
import { OpenSegments } from './segments/open-segments.ts'
import { listNames, removeFile, removeSegments, type ListNames } from './segments/remove-segments.ts'
import { deleteAside, listAside, restoreAside, setAside } from './set-aside.ts'
import { probeFile, readText, replaceText } from './files/small-files.ts'
import { StoreIdentity } from './store-identity.ts'
import { SyncedSegments } from './segments/synced-segments.ts'
import { errnoOf, translated, translateError } from './files/translate-error.ts'

export interface FilesystemBlobStoreOptions {
  readonly root: string
  /** The buffers that all streams of the process share. */
  readonly buffers: BufferPool
  readonly clock: Clock
  /** Measures how fast peers are; defaults to the monotonic clock of the process. */
  readonly monotonic?: Clock
  readonly ids: Ids
  /** Called for files that a scan finds and no store wrote; they are never touched. */
  readonly onStrange?: ((path: string) => void) | undefined
  /** Reads the names in a folder; tests replace it to count the scans. */
  readonly listNames?: ListNames
}

/** Opens the store and creates missing folders. Throws `StoreFull`, `StoreUnavailable`. */
export async function openFilesystemBlobStore(options: FilesystemBlobStoreOptions): Promise<BlobStore> {
  const layout = createLayout(options.root)
  const identity = new StoreIdentity(layout)
  await translated('open its folder', async () => {
    await makeFolders(layout)
    await identity.remember()
  })
  return new FilesystemBlobStore({ layout, identity }, options)
}

class FilesystemBlobStore implements BlobStore {
  readonly driver = 'filesystem'
  readonly #layout: Layout
  readonly #identity: StoreIdentity
  readonly #folders = new FolderDescriptors()
  readonly #folderSyncs = new FolderSyncs((path) => this.#folders.sync(path))
  readonly #openSegments = new OpenSegments()
  readonly #syncedSegments = new SyncedSegments()
  readonly #clock: Clock
  readonly #deps: CommitDeps
  readonly #onStrange: (path: string) => void
  readonly #listNames: ListNames

  constructor(
    { layout, identity }: { layout: Layout; identity: StoreIdentity },
    { buffers, clock, ids, onStrange, ...options }: FilesystemBlobStoreOptions,
  ) {
    this.#layout = layout
    this.#identity = identity
    this.#clock = clock
    this.#listNames = options.listNames ?? listNames
    this.#deps = {
      layout,
      buffers,
      monotonic: options.monotonic ?? monotonicClock,
      ids,
      folderSyncs: this.#folderSyncs,
      openSegments: this.#openSegments,
      syncedSegments: this.#syncedSegments,
    }
    this.#onStrange = onStrange ?? (() => undefined)
  }

  openSegment(key: StorageKey, start: SegmentStart): Promise<SegmentWriter> {
    return translated('open an upload', () => this.#openSegment(key, start))
  }

  async #openSegment(key: StorageKey, start: SegmentStart): Promise<SegmentWriter> {
    const { generation, offset, onBytes } = start
    const path = segmentPath(this.#layout, key, generation)
    this.#syncedSegments.forget(path)
    const fd = await this.#openWritable({ key, path, offset })
    // A continued segment was synced, including its name, before its offset was recorded.
    const syncName = offset === 0 ? () => this.#folderSyncs.sync(this.#layout.uploads) : undefined
    const onClosed = (syncedSize: number | undefined): void => {
      this.#openSegments.leave(path)
      if (syncedSize !== undefined) this.#syncedSegments.add(path, syncedSize)
    }
    return new FileSegmentWriter({ fd, offset, onBytes, onClosed, syncName }, this.#deps)
  }

  async #openWritable(segment: { key: StorageKey; path: string; offset: number }): Promise<number> {
    const { path, offset } = segment
    this.#openSegments.enter(path)
    try {
      return (offset === 0 ? await openNew(path) : undefined) ?? (await reopen(segment))
    } catch (error) {
      this.#openSegments.leave(path)
      if (error instanceof UploadMissing) await this.#identity.check()
      throw error
    }
  }

  readSegments(key: StorageKey, segments: readonly Segment[], sink: ByteSink): Promise<void> {
    return copySegments(this.#deps, { key, segments }, sink)
  }

  commit(stored: StoredBlob, options: CommitOptions): Promise<void> {
    return this.#inOwnFolder('commit a blob', () => commitSegments(this.#deps, stored, options))
  }

  stat(stored: StoredBlob): Promise<number | undefined> {
    return translated('check a blob', async () => {
      const size = await statBlob(this.#layout, stored)
      if (size === undefined) await this.#identity.check()
      return size
    })
  }

  open(stored: StoredBlob): Promise<BlobReader> {
    return translated('open a blob', () => this.#open(stored))
  }

  async #open(stored: StoredBlob): Promise<BlobReader> {
    const fd = await this.#openFile(stored)
    try {
      const { size } = await statFile(fd)
      return new FileBlobReader({ fd, size, key: stored.key }, this.#deps)
    } catch (error) {
      await closeFile(fd)
      throw error
    }
  }

  async #openFile(stored: StoredBlob): Promise<number> {
    try {
      return await openBlobFile(this.#layout, stored)
    } catch (error) {
      if (error instanceof BlobMissing) await this.#identity.check()
      throw error
    }
  }

  /**
   * Runs work that writes, deletes or relies on a file being absent. Throws if the root is now another folder of the same name.
   */
  #inOwnFolder<T>(action: string, work: () => Promise<T>): Promise<T> {
    return translated(action, async () => {
      await this.#identity.check()
      return await work()
    })
  }

  delete(key: StorageKey, digest: Digest | undefined): Promise<void> {
    return this.#inOwnFolder('remove a blob', async () => {
      if (digest !== undefined) await removeFile(blobPath(this.#layout, { key, digest }))
      await removeSegments(this.#layout, key)
    })
  }

  deleteAll(dead: readonly StoredBytes[]): Promise<readonly KeyFailure[]> {
    return this.#inOwnFolder('remove blobs', () => deleteAll(this.#layout, dead, this.#listNames))
  }

  setAside(bytes: readonly StoredBytes[]): Promise<readonly KeyFailure[]> {
    return this.#inOwnFolder('set bytes aside', () => setAside(this.#aside, bytes, this.#clock.now()))
  }

  async *listAside(): AsyncIterable<AsideEntry> {
    try {
      yield* listAside(this.#aside, this.#onStrange)
    } catch (error) {
      throw translateError(error, 'list the entries that were set aside')
    }
  }

  restoreAside(entry: AsideEntry): Promise<boolean> {
    return this.#inOwnFolder('restore an entry that was set aside', () => restoreAside(this.#layout, entry))
  }

  deleteAside(entry: AsideEntry): Promise<void> {
    return this.#inOwnFolder('delete an entry that was set aside', () => deleteAside(this.#layout, entry))
  }

  get #aside() {
    return { layout: this.#layout, list: this.#listNames }
  }

  async *list(): AsyncIterable<StoreEntry> {
    try {
      await this.#identity.check()
      yield* listEntries(this.#layout, this.#onStrange)
    } catch (error) {
      throw translateError(error, 'list its folders')
    }
  }

  readInstallationId(): Promise<string | undefined> {
    return translated('read its installation id', () => readText(this.#layout.installation))
  }

  writeInstallationId(id: string): Promise<void> {
    return translated('write its installation id', async () => {
      const draft = installationDraftPath(this.#layout, this.#deps.ids.storageKey())
      await replaceText(this.#layout.installation, draft, `${id}\n`)
      await this.#folderSyncs.sync(this.#layout.root)
    })
  }

  ping(): Promise<void> {
    return this.#inOwnFolder('write, read and remove a probe', () => probeFile(this.#layout.probe))
  }

  /** Writers and readers own their descriptors and keep working. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#folders[Symbol.asyncDispose]()
  }
}

/** Returns `undefined` when the file already exists; a new file needs no check of its size. */
async function openNew(path: string): Promise<number | undefined> {
  try {
    return await openFile(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, fileMode)
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return undefined
    throw error
  }
}

async function reopen(segment: { key: StorageKey; path: string; offset: number }): Promise<number> {
  const { key, path, offset } = segment
  const fd = await openForAppending(key, path, offset)
  try {
    const { size } = await statFile(fd)
    if (size < offset) throw new UploadMissing(key)
    if (size > offset) await truncateFile(fd, offset)
    return fd
  } catch (error) {
    await closeFile(fd)
    throw error
  }
}

async function openForAppending(key: StorageKey, path: string, offset: number): Promise<number> {
  if (offset > 0) return openSegmentFile(key, path, 'r+')
  return openFile(path, constants.O_RDWR | constants.O_CREAT, fileMode)
}
