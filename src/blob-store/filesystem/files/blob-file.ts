/**
 * Stats and opens the file of a blob. A missing file means a missing blob only while its shard folder exists: all folders are
 * created when the store opens, so a missing folder means that the volume is not mounted, and no blob is lost.
 */
import { stat } from 'node:fs/promises'
import type { StoredBlob } from '../../blob-store.ts'
import { BlobMissing } from '../../errors.ts'
import { openFile } from './file-io.ts'
import type { Layout } from '../layout.ts'
import { blobPath, shardPath } from '../layout.ts'
import { isAbsent } from './translate-error.ts'

/** Returns the size of the blob's file, `undefined` when it is missing. Throws when its folder is missing. */
export async function statBlob(layout: Layout, stored: StoredBlob): Promise<number | undefined> {
  try {
    return (await stat(blobPath(layout, stored))).size
  } catch (error) {
    if (!isAbsent(error)) throw error
    await stat(shardPath(layout, stored.key))
    return undefined
  }
}

/** Returns a descriptor for reading. Throws `BlobMissing`, or the system error when the folder is missing. */
export async function openBlobFile(layout: Layout, stored: StoredBlob): Promise<number> {
  try {
    return await openFile(blobPath(layout, stored), 'r')
  } catch (error) {
    if (!isAbsent(error)) throw error
    await stat(shardPath(layout, stored.key))
    throw new BlobMissing(stored.key, { cause: error })
  }
}
