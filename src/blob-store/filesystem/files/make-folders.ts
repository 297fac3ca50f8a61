/** Creates the folders of a store. */
import { readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeChildFolder, makeFolder } from '../../../lib/folders.ts'
import { syncFolder } from './file-io.ts'
import type { Layout } from '../layout.ts'
import { folderMode, shardNames } from '../layout.ts'
import { errnoOf } from './translate-error.ts'

/** Creates missing folders. Syncs existing ones too, because the process that created them may have crashed before its sync. */
export async function makeFolders(layout: Layout): Promise<void> {
  for (const folder of [layout.root, layout.uploads, layout.blobs]) await makeFolder(folder, folderMode)
  const present = new Set(await readdir(layout.blobs))
  const missing = shardNames().filter((shard) => !present.has(shard))
  await Promise.all(missing.map((shard) => makeChildFolder(`${layout.blobs}/${shard}`, folderMode)))
  await syncFolder(layout.blobs)
  await syncFolder(layout.root)
  await syncParent(layout.root)
}

/** A parent that may be entered but not read cannot be synced; the process that created the root must have synced it. */
async function syncParent(root: string): Promise<void> {
  try {
    await syncFolder(dirname(root))
  } catch (error) {
    if (errnoOf(error) !== 'EACCES') throw error
  }
}
