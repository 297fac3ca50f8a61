import { opendir, unlink } from 'node:fs/promises'
import type { CommitOptions, KeyFailure, StorageKey } from '../../blob-store.ts'
import type { Layout } from '../layout.ts'
import { parseUploadName, segmentPath } from '../layout.ts'
import { isAbsent } from '../files/translate-error.ts'

/** Up to this generation a key's segments are removed by name, which costs less than reading the folder. */
const maxGenerationByName = 8

/** Removes, after a commit, the segments themselves, unrecorded segments of earlier writers, and joins that a crash cut short. */
export async function removeCommittedSegments(
  layout: Layout,
  key: StorageKey,
  { segments, generation: last }: CommitOptions,
): Promise<void> {
  const [only, ...others] = segments
  if (only === undefined || others.length > 0 || last > maxGenerationByName) {
    return removeSegments(layout, key)
  }
  const generations = Array.from({ length: last + 1 }, (_, generation) => generation)
  await Promise.all(generations.map((generation) => removeFile(segmentPath(layout, key, generation))))
}

/** Removes, after the rename of the only segment, the unrecorded segments of earlier writers. */
export async function removeEarlierSegments(
  layout: Layout,
  key: StorageKey,
  options: CommitOptions,
): Promise<void> {
  if (options.generation !== 0) await removeCommittedSegments(layout, key, options)
}

/** Removes all files of the key in the uploads folder. */
export async function removeSegments(layout: Layout, key: StorageKey): Promise<void> {
  for (const { error } of await removeSegmentsOf(layout, new Set([key]))) throw error
}

/** Yields the names in a folder while it reads them. */
export type ListNames = (folder: string) => AsyncIterable<string>

export async function* listNames(folder: string): AsyncGenerator<string> {
  for await (const { name } of await opendir(folder, { bufferSize: 512 })) yield name
}

/**
 * Removes all files of these keys in the uploads folder. Reads the folder once, and continues after a file that cannot be
 * removed.
 */
export async function removeSegmentsOf(
  layout: Layout,
  keys: ReadonlySet<StorageKey>,
  list: ListNames = listNames,
): Promise<readonly KeyFailure[]> {
  const failures: KeyFailure[] = []
  for await (const name of list(layout.uploads)) {
    const key = parseUploadName(name)
    if (key === undefined || !keys.has(key)) continue
    try {
      await removeFile(`${layout.uploads}/${name}`)
    } catch (error) {
      failures.push({ key, error })
    }
  }
  return failures
}

/** Removes a file; a missing file is not an error. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (!isAbsent(error)) throw error
  }
}
