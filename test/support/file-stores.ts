/** Blob stores on folders of their own, below one temporary folder of the test file. */
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { BlobStore, StoredBlob } from '../../src/blob-store/blob-store.ts'
import { aKey } from '../../src/blob-store/contract/support.ts'
import { openFilesystemBlobStore } from '../../src/blob-store/filesystem/filesystem-blob-store.ts'
import { BufferPool } from '../../src/lib/memory/buffer-pool.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { systemIds } from '../../src/lib/ids.ts'
import type { TempFolder } from './temp-folder.ts'
import { tempFolder } from './temp-folder.ts'

export interface OpenedFileStore extends AsyncDisposable {
  readonly store: BlobStore
  readonly root: string
  readonly buffers: BufferPool
  /** What the store passed over, relative to its root. */
  readonly strange: string[]
}

export interface FileStores {
  /** A path that nothing has yet. */
  readonly newRoot: () => string
  /** Opens the store at `root`, by default a new one. */
  readonly open: (root?: string) => Promise<OpenedFileStore>
}

/** Call it at the top of a test file: makes the folder before its tests, removes it after them. */
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

/** The file of a blob. */
export function blobFileOf(root: string, { key, digest }: StoredBlob): string {
  return join(root, 'blobs', key.slice(0, 2), `${key}_${digest.replace(':', '-')}`)
}
