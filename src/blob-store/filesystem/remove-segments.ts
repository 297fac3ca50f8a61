import { opendir, unlink } from 'node:fs/promises'
import type { CommitOptions, StorageKey } from '../blob-store.ts'
import type { Layout } from './layout.ts'
import { parseUploadName, segmentPath } from './layout.ts'
import { isAbsent } from './translate-error.ts'

/** Up to this generation a key's segments are removed by name, which costs less than reading the folder. */
const maxGenerationByName = 8

/** After a commit: the segments themselves, what earlier writers left unrecorded, and joins that a crash cut short. */
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

/** After the rename of the only segment: what earlier writers left unrecorded. */
export async function removeEarlierSegments(
  layout: Layout,
  key: StorageKey,
  options: CommitOptions,
): Promise<void> {
  if (options.generation !== 0) await removeCommittedSegments(layout, key, options)
}

/** Whatever the uploads folder holds for the key. */
export async function removeSegments(layout: Layout, key: StorageKey): Promise<void> {
  const folder = await opendir(layout.uploads, { bufferSize: 512 })
  for await (const { name } of folder) {
    if (parseUploadName(name) === key) await removeFile(`${layout.uploads}/${name}`)
  }
}

/** A missing file is no error. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (!isAbsent(error)) throw error
  }
}
