import type { Reader } from '../../handles.ts'
import { findMountSource, isMountSource } from '../../content/mount-sources.ts'
import type { MountSearch } from '../../content/mount-sources.ts'

/** Whether a blob is found, and found again by the lookup of the transaction that mounts it. */
export async function isMountable(db: Reader, search: MountSearch): Promise<boolean> {
  const source = await findMountSource(db, search)
  if (source === undefined) return false
  if (await isMountSource(db, search, source)) return true
  throw new Error(`${source} was found first and refused later`)
}
