import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startScene } from '../../../test/support/scenes/backup-scene.ts'
import type { BlobReader, BlobStore, StoredBlob } from '../../blob-store/blob-store.ts'
import { StoreUnavailable } from '../../blob-store/errors.ts'
import { openFilesystemBlobStore } from '../../blob-store/filesystem/filesystem-blob-store.ts'
import { ForwardingBlobStore } from '../../blob-store/forwarding-blob-store.ts'
import { BufferPool } from '../../lib/memory/buffer-pool.ts'
import { systemClock } from '../../lib/clock.ts'
import { systemIds } from '../../lib/ids.ts'
import { openSqliteMetadata } from '../../metadata/dialects/sqlite/sqlite.ts'
import { BackupRefused } from './errors.ts'
import { runBackup } from './run-backup.ts'

/** A store whose volume is unmounted after a number of blobs. */
class LeavingStore extends ForwardingBlobStore {
  #blobsLeft: number

  constructor(store: BlobStore, blobsLeft: number) {
    super(store)
    this.#blobsLeft = blobsLeft
  }

  override async open(stored: StoredBlob): Promise<BlobReader> {
    this.#blobsLeft -= 1
    if (this.#blobsLeft >= 0) return super.open(stored)
    throw new StoreUnavailable('the folder no longer is the blob store', { retryable: false })
  }

  override async readInstallationId(): Promise<string | undefined> {
    return this.#blobsLeft < 0 ? undefined : super.readInstallationId()
  }
}

test.each(['backups', 'backup.tar'])(
  'a backup whose store goes away is refused, and leaves no snapshot: %s',
  async (name) => {
    await using scene = await startScene(3)
    const place = join(scene.path, name)
    const databaseFile = join(scene.dataDir, 'lading.db')
    const parts = { clock: systemClock, ids: systemIds, buffers: new BufferPool() }
    const onFatal = (error: Error): void => expect.fail(error.message)
    await using metadata = await openSqliteMetadata({ file: databaseFile, clock: systemClock, onFatal })
    await using store = await openFilesystemBlobStore({ ...parts, root: join(scene.dataDir, 'store') })
    const backup = runBackup(
      {
        metadata,
        store: new LeavingStore(store, 2),
        databaseFile,
        clock: systemClock,
        version: '0',
        locateBlob: ({ digest }) => digest,
        holder: 'test',
        hasEnded: () => false,
        onProgress: () => undefined,
      },
      place,
    )
    await expect(backup).rejects.toThrow(BackupRefused)
    await expect(backup).rejects.toThrow('the blob store disappeared')
    // The folder of a backup stays for the next run.
    expect(existsSync(place) ? await readdir(join(place, 'snapshots')) : []).toEqual([])
  },
)
