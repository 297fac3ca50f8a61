/** Opens the blob store that the configuration names, and keeps it from meeting the database of another installation. */
import type { BlobStore } from '../blob-store/blob-store.ts'
import { openFilesystemBlobStore } from '../blob-store/filesystem/filesystem-blob-store.ts'
import { MemoryBlobStore } from '../blob-store/memory/memory-blob-store.ts'
import type { Config } from '../config/schema.ts'
import { BufferPool } from '../lib/buffer-pool.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { refuseUnfinishedRestore } from '../lifecycle/backup/restore-marker.ts'
import { ensureInstallation } from '../metadata/installation.ts'
import type { Metadata } from '../metadata/metadata.ts'
import type { Logger } from '../telemetry/logger.ts'
import { storeFolder } from './data-folder.ts'

/** The memory store is for tests and registries that may forget; it must not take the machine along. */
const memoryStoreBytes = 2 * 1024 * 1024 * 1024

export interface OpenStoreDeps {
  readonly clock: Clock
  readonly ids: Ids
  readonly logger: Logger
}

export async function openStore(config: Config, { clock, ids, logger }: OpenStoreDeps): Promise<BlobStore> {
  if (config.storage.driver === 'memory') return new MemoryBlobStore({ clock, maxBytes: memoryStoreBytes })
  return openFilesystemBlobStore({
    root: storeFolder(config),
    buffers: new BufferPool(),
    clock,
    ids,
    onStrange: (path) =>
      logger.warn({ path }, 'a file in the blob store that no registry wrote; it is left alone'),
  })
}

export class StoreMismatchError extends Error {
  override readonly name = 'StoreMismatchError'
}

/** A database and a store that do not belong together would sweep each other's bytes away. */
export async function checkInstallation(
  metadata: Metadata,
  store: BlobStore,
  deps: { readonly clock: Clock; readonly ids: Ids },
): Promise<string> {
  const found = await store.readInstallationId()
  refuseUnfinishedRestore(found)
  const id = await metadata.transact((tx) =>
    ensureInstallation(tx, { id: found ?? deps.ids.storageKey(), now: deps.clock.now() }),
  )
  if (found === undefined) await store.writeInstallationId(id)
  else if (found !== id) {
    throw new StoreMismatchError(
      `storage: the blob store belongs to installation ${found} and the database to ${id}; configure the two that belong together`,
    )
  }
  return id
}
