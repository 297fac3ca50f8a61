/** What a start makes in the file system, so that a start that fails can take it back. */
import type { Config } from '../config/schema.ts'
import { checkFolder, findMissingFolders, removeEmptyFolders, removeFolderIfEmpty } from '../lib/folders.ts'
import { storeFolder } from './data-folder.ts'

export interface StartFolders extends AsyncDisposable {
  /** The start has succeeded: disposing removes nothing. */
  keep(): void
}

/**
 * Checks that the data folder can be used or made, and remembers which folders were missing. Disposing removes those
 * again, as far as they hold no files. Throws `FolderError`.
 */
export async function watchStartFolders(config: Config): Promise<StartFolders> {
  const isUsed = config.metadata.driver === 'sqlite' || config.storage.driver === 'filesystem'
  if (isUsed) await checkFolder(config.data)
  const missing = isUsed ? await findMissingFolders(storeFolder(config)) : []
  let isKept = false
  return {
    keep: () => void (isKept = true),
    async [Symbol.asyncDispose]() {
      if (isKept || missing.length === 0) return
      await removeEmptyFolders(storeFolder(config))
      for (const folder of missing.toReversed()) await removeFolderIfEmpty(folder)
    },
  }
}
