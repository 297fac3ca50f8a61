/** Opens the configured blob store. */
import type { BlobStore } from '../blob-store/blob-store.ts'
import { peekFilesystemStore, type StoreContents } from '../blob-store/filesystem/peek-store.ts'
import { openFilesystemBlobStore } from '../blob-store/filesystem/filesystem-blob-store.ts'
import { MemoryBlobStore } from '../blob-store/memory/memory-blob-store.ts'
import type { Config } from '../config/schema.ts'
import { BufferPool } from '../lib/memory/buffer-pool.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { Logger } from '../telemetry/logger.ts'
import { storeFolder } from './data-folder.ts'

/**
 * The most bytes in a memory store, so that it cannot exhaust the machine; it is for tests and for registries that need not keep
 * data.
 */
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
      logger.warn({ path }, 'found a file in the blob store that no registry wrote; it is left alone'),
  })
}

/** Inspects the store's folder without opening the store, which would create folders. Throws `StoreUnavailable`. */
export function peekStore(config: Config): Promise<StoreContents> {
  return peekFilesystemStore(storeFolder(config))
}
