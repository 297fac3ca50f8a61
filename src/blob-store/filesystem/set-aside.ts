/**
 * Moves bytes out of the way instead of deleting them; see `layout.ts`. A move is a rename: the bytes and their modification time
 * do not change. Only one process moves at a time (the lease of the sweep).
 */
import type { Stats } from 'node:fs'
import { lstat, rename, rmdir } from 'node:fs/promises'
import { makeChildFolder } from '../../lib/folders.ts'
import { formatDay, parseDay } from '../../lib/utc-day.ts'
import type { AsideEntry, KeyFailure, StorageKey, StoredBytes } from '../blob-store.ts'
import { firstOfEach } from './files/delete-all.ts'
import { syncFolder } from './files/file-io.ts'
import { blobPath, folderMode, parseBlobName, parseUploadName, shardPath, type Layout } from './layout.ts'
import { listNames, removeFile, type ListNames } from './segments/remove-segments.ts'
import { errnoOf, isAbsent } from './files/translate-error.ts'

interface Move {
  readonly key: StorageKey
  readonly folder: string
  readonly name: string
}

export interface AsideDeps {
  readonly layout: Layout
  readonly list: ListNames
}

/**
 * Moves the bytes that exist to the folder of the day. Reads the uploads folder once. Returns the keys that could not be moved.
 */
export async function setAside(
  deps: AsideDeps,
  bytes: readonly StoredBytes[],
  now: number,
): Promise<readonly KeyFailure[]> {
  const moves = [...listBlobMoves(deps.layout, bytes), ...(await listSegmentMoves(deps, bytes))]
  if (moves.length === 0) return []
  const target = await makeDayFolder(deps.layout, now)
  const failures: KeyFailure[] = []
  for (const { key, folder, name } of moves) {
    try {
      await moveFile(`${folder}/${name}`, `${target}/${name}`)
    } catch (error) {
      failures.push({ key, error })
    }
  }
  // New names first: a power cut in between may show a file twice, but never lose it.
  for (const folder of new Set([target, ...moves.map((move) => move.folder)])) await syncFolder(folder)
  return firstOfEach(failures, 'set bytes aside')
}

function listBlobMoves(layout: Layout, bytes: readonly StoredBytes[]): readonly Move[] {
  return bytes.flatMap(({ key, digest }) => {
    if (digest === undefined) return []
    const path = blobPath(layout, { key, digest })
    const folder = shardPath(layout, key)
    return [{ key, folder, name: path.slice(folder.length + 1) }]
  })
}

async function listSegmentMoves(
  { layout, list }: AsideDeps,
  bytes: readonly StoredBytes[],
): Promise<readonly Move[]> {
  const keys = new Set(bytes.filter(({ digest }) => digest === undefined).map(({ key }) => key))
  if (keys.size === 0) return []
  const moves: Move[] = []
  for await (const name of list(layout.uploads)) {
    const key = parseUploadName(name)
    if (key !== undefined && keys.has(key)) moves.push({ key, folder: layout.uploads, name })
  }
  return moves
}

async function makeDayFolder(layout: Layout, now: number): Promise<string> {
  const folder = `${layout.orphans}/${formatDay(now)}`
  for (const path of [layout.orphans, folder]) await makeChildFolder(path, folderMode)
  await syncFolder(layout.root)
  await syncFolder(layout.orphans)
  return folder
}

/** Never replaces a file; a missing source is not an error. */
async function moveFile(source: string, target: string): Promise<void> {
  if ((await statIfThere(source)) === undefined) return
  if ((await statIfThere(target)) !== undefined) {
    throw new Error(`cannot move ${source}: ${target} already exists`)
  }
  try {
    await rename(source, target)
  } catch (error) {
    if (!isAbsent(error)) throw error
  }
}

/** Files that no store wrote are passed to `onStrange` and left alone. */
export async function* listAside(
  { layout, list }: AsideDeps,
  onStrange: (path: string) => void,
): AsyncGenerator<AsideEntry> {
  for await (const day of listIfThere(layout.orphans, list)) {
    const setAsideAt = parseDay(day)
    if (setAsideAt === undefined) {
      onStrange(`${layout.orphans}/${day}`)
      continue
    }
    for await (const name of listIfThere(`${layout.orphans}/${day}`, list)) {
      const path = `${layout.orphans}/${day}/${name}`
      const stats = await statIfThere(path)
      const stored = parseName(name)
      if (stats === undefined) continue
      if (stored === undefined || !stats.isFile()) onStrange(path)
      else {
        const modifiedAt = Math.floor(stats.mtimeMs)
        yield { ...stored, size: stats.size, modifiedAt, id: `${day}/${name}`, setAsideAt }
      }
    }
  }
}

/** Returns `false`, and changes nothing, when there is already a file in the place of the entry, or nothing to restore. */
export async function restoreAside(layout: Layout, { id }: AsideEntry): Promise<boolean> {
  const { day, name, target } = locate(layout, id)
  const source = `${layout.orphans}/${day}/${name}`
  if ((await statIfThere(source)) === undefined) return false
  if ((await statIfThere(`${target}/${name}`)) !== undefined) return false
  await rename(source, `${target}/${name}`)
  await syncFolder(target)
  await syncFolder(`${layout.orphans}/${day}`)
  return true
}

/** Deletes the entry, and the folder of the day after its last entry. */
export async function deleteAside(layout: Layout, { id }: AsideEntry): Promise<void> {
  const { day, name } = locate(layout, id)
  await removeFile(`${layout.orphans}/${day}/${name}`)
  try {
    await rmdir(`${layout.orphans}/${day}`)
  } catch (error) {
    if (!isAbsent(error) && errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'EEXIST') throw error
  }
}

/** Returns the parts of an id, and the original folder of the file. Throws for an id that does not come from a listing. */
function locate(layout: Layout, id: string): { day: string; name: string; target: string } {
  const [day = '', name = '', ...others] = id.split('/')
  const stored = parseName(name)
  if (parseDay(day) === undefined || stored === undefined || others.length > 0) {
    throw new Error(`${id} is not an entry of the orphans folder`)
  }
  const target = stored.digest === undefined ? layout.uploads : shardPath(layout, stored.key)
  return { day, name, target }
}

function parseName(name: string): StoredBytes | undefined {
  const key = parseUploadName(name)
  return key === undefined ? parseBlobName(name) : { key, digest: undefined }
}

async function* listIfThere(folder: string, list: ListNames = listNames): AsyncGenerator<string> {
  try {
    yield* list(folder)
  } catch (error) {
    if (!isAbsent(error)) throw error
  }
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}
