/** Tracks what a start creates in the file system, so that a failed start can remove it. */
import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import {
  checkFolder,
  findMissingFolders,
  listFolder,
  removeEmptyFolders,
  removeFolderIfEmpty,
} from '../lib/folders.ts'
import { storeFolder } from './data-folder.ts'
import { peekStore } from './open-store.ts'

export interface StartFolders extends AsyncDisposable {
  /** Call it when the start has succeeded: disposing then removes nothing. */
  keep(): void
}

/**
 * Checks that the data folder can be used or created, and remembers which folders are missing. Disposing removes those folders if
 * they contain no files, and everything that was created in an empty store folder, such as the mount point of a volume. A store
 * that has an installation id by then belongs to another start and stays. Throws `FolderError`.
 */
export async function watchStartFolders(config: Config): Promise<StartFolders> {
  const isUsed = config.metadata.driver === 'sqlite' || config.storage.driver === 'filesystem'
  if (isUsed) await checkFolder(config.data)
  const store = storeFolder(config)
  const missing = isUsed ? await findMissingFolders(store) : []
  const wasEmpty = isUsed && (await listFolder(store)).length === 0
  let isKept = false
  return {
    keep: () => void (isKept = true),
    async [Symbol.asyncDispose]() {
      if (isKept || !wasEmpty) return
      const found = await peekStore(config).catch(() => undefined)
      if (found === undefined || found.installationId !== undefined) return
      for (const name of await listFolder(store)) await removeEmptyFolders(join(store, name))
      for (const folder of missing.toReversed()) await removeFolderIfEmpty(folder)
    },
  }
}
