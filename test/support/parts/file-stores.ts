/** Blob stores, each on its own folder below one temporary folder of the test file. */
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { BlobStore, StoredBlob } from '../../../src/blob-store/blob-store.ts'
import { aKey } from '../../../src/blob-store/contract/support.ts'
import { openFilesystemBlobStore } from '../../../src/blob-store/filesystem/filesystem-blob-store.ts'
import { BufferPool } from '../../../src/lib/memory/buffer-pool.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { systemIds } from '../../../src/lib/ids.ts'
import type { TempFolder } from '../processes/temp-folder.ts'
import { tempFolder } from '../processes/temp-folder.ts'

export interface OpenedFileStore extends AsyncDisposable {
  readonly store: BlobStore
  readonly root: string
  readonly buffers: BufferPool
  /** Paths that the store skipped, relative to its root. */
  readonly strange: string[]
}

export interface FileStores {
  /** Returns a path that does not exist yet. */
  readonly newRoot: () => string
  /** Opens the store at `root`, by default a new one. */
  readonly open: (root?: string) => Promise<OpenedFileStore>
}

/** Call this at the top of a test file: it makes the folder before the tests and removes it after them. */
export function useFileStores(): FileStores {
  let folder: TempFolder | undefined
  beforeAll(async () => {
    folder = await tempFolder('lading-blob-store')
  })
  afterAll(async () => {
    await folder?.[Symbol.asyncDispose]()
  })
  const newRoot = (): string => join(folder?.path ?? '', aKey())
  return { newRoot, open: (root = newRoot()) => openFileStore(root) }
}

async function openFileStore(root: string): Promise<OpenedFileStore> {
  const buffers = new BufferPool()
  const strange: string[] = []
  const onStrange = (path: string): void => void strange.push(path.slice(root.length + 1))
  const store = await openFilesystemBlobStore({
    root,
    buffers,
    clock: systemClock,
    ids: systemIds,
    onStrange,
  })
  return { store, root, buffers, strange, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
}

/** Returns the path of a blob's file. */
export function blobFileOf(root: string, { key, digest }: StoredBlob): string {
  return join(root, 'blobs', key.slice(0, 2), `${key}_${digest.replace(':', '-')}`)
}
