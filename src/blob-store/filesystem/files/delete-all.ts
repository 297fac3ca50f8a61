/** Deletes the bytes of many keys; a key that fails does not affect the others. */
import type { KeyFailure, StorageKey, StoredBytes } from '../../blob-store.ts'
import { blobPath, type Layout } from '../layout.ts'
import { removeFile, removeSegmentsOf, type ListNames } from '../segments/remove-segments.ts'
import { translateError } from './translate-error.ts'

/** Reads the uploads folder once. Returns the keys that still have bytes. */
export async function deleteAll(
  layout: Layout,
  dead: readonly StoredBytes[],
  list: ListNames,
): Promise<readonly KeyFailure[]> {
  const failures: KeyFailure[] = []
  for (const { key, digest } of dead) {
    try {
      if (digest !== undefined) await removeFile(blobPath(layout, { key, digest }))
    } catch (error) {
      failures.push({ key, error })
    }
  }
  const keys = new Set(dead.map(({ key }) => key))
  if (keys.size > 0) failures.push(...(await removeSegmentsOf(layout, keys, list)))
  return firstOfEach(failures, 'remove a blob')
}

/** Returns one failure per key, as an error of the store. */
export function firstOfEach(failures: readonly KeyFailure[], action: string): readonly KeyFailure[] {
  const found = new Map<StorageKey, KeyFailure>()
  for (const { key, error } of failures) {
    if (!found.has(key)) found.set(key, { key, error: translateError(error, action) })
  }
  return [...found.values()]
}
