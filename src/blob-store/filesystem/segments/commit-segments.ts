/**
 * Turns segments into a blob. The order makes every crash repeatable: the bytes become durable, one rename, the folder becomes
 * durable, and only then are the segments removed. A repeated commit continues after the rename if that is done.
 *
 * Open descriptors of a file survive its rename. So only the segment of the committing generation is renamed, and only while no
 * writer of this process has it open. Everything else is copied, and the caller checks the copied bytes.
 */
import { statSync } from 'node:fs'
import { rename, stat } from 'node:fs/promises'
import type { Ids } from '../../../lib/ids.ts'
import type { CommitOptions, StorageKey, StoredBlob } from '../../blob-store.ts'
import { UploadMissing } from '../../errors.ts'
import type { CopyDeps } from '../files/copy-file.ts'
import { copySegments, openSegmentFile } from './copy-segments.ts'
import { closeFile, openFile, statFile, syncData, truncateFile, writeFully } from '../files/file-io.ts'
import type { FolderSyncs } from '../files/folder-syncs.ts'
import type { Layout } from '../layout.ts'
import type { OpenSegments } from './open-segments.ts'
import { blobPath, fileMode, joinPath, segmentPath, shardPath } from '../layout.ts'
import { removeCommittedSegments, removeEarlierSegments, removeFile } from './remove-segments.ts'
import type { SyncedSegments } from './synced-segments.ts'
import { isAbsent } from '../files/translate-error.ts'
import { WriteBack } from './write-back.ts'

export interface CommitDeps extends CopyDeps {
  readonly layout: Layout
  readonly folderSyncs: FolderSyncs
  readonly ids: Ids
  readonly openSegments: OpenSegments
  readonly syncedSegments: SyncedSegments
}

export async function commitSegments(
  deps: CommitDeps,
  stored: StoredBlob,
  options: CommitOptions,
): Promise<void> {
  const { layout, folderSyncs } = deps
  if (await moveSynced(deps, stored, options)) {
    await folderSyncs.sync(shardPath(layout, stored.key))
    return removeEarlierSegments(layout, stored.key, options)
  }
  const target = blobPath(layout, stored)
  const total = options.segments.reduce((sum, segment) => sum + segment.size, 0)
  if (!(await holdsBytes(target, total))) {
    try {
      const source = await prepareSource(deps, stored.key, options)
      await moveSource(stored.key, source, target)
    } catch (error) {
      // After a takeover, two commits of one key may overlap; if the other one was first, this one finds the blob in place and no
      // segments.
      if (!(error instanceof UploadMissing) || !(await holdsBytes(target, total))) throw error
    }
  }
  await folderSyncs.sync(shardPath(layout, stored.key))
  await removeCommittedSegments(layout, stored.key, options)
}

/**
 * Returns the path of the only segment if nothing but the committer can write to it; `undefined` when the bytes must be copied.
 */
function movablePath(deps: CommitDeps, key: StorageKey, options: CommitOptions): string | undefined {
  const [only, ...others] = options.segments
  if (only === undefined || only.size === 0 || others.length > 0) return undefined
  if (only.generation !== options.generation) return undefined
  const path = segmentPath(deps.layout, key, only.generation)
  return deps.openSegments.has(path) ? undefined : path
}

/**
 * The path of nearly every push: one segment that a writer of this process left synced at exactly this size. The size is checked
 * again, because another process may have continued the segment. The call does not block: the system still has the file's size in
 * memory.
 */
async function moveSynced(deps: CommitDeps, stored: StoredBlob, options: CommitOptions): Promise<boolean> {
  const path = movablePath(deps, stored.key, options)
  if (path === undefined) return false
  const size = options.segments[0]?.size
  const isSynced = deps.syncedSegments.sizeOf(path) === size
  deps.syncedSegments.forget(path)
  if (!isSynced || statSync(path, { throwIfNoEntry: false })?.size !== size) return false
  try {
    await rename(path, blobPath(deps.layout, stored))
    return true
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

async function holdsBytes(path: string, size: number): Promise<boolean> {
  try {
    return (await stat(path)).size === size
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

/** Returns the path of a file with exactly the bytes of the blob, durably. */
async function prepareSource(deps: CommitDeps, key: StorageKey, options: CommitOptions): Promise<string> {
  const path = movablePath(deps, key, options)
  if (path === undefined) return joinSegments(deps, key, options)
  await trimSegment(key, path, options.segments[0]?.size ?? 0)
  return path
}

/** Syncs although the writer already did: a commit must be durable regardless of who wrote the bytes. */
async function trimSegment(key: StorageKey, path: string, size: number): Promise<void> {
  const fd = await openSegmentFile(key, path, 'r+')
  try {
    const { size: found } = await statFile(fd)
    if (found < size) throw new UploadMissing(key)
    if (found > size) await truncateFile(fd, size)
    await syncData(fd)
  } finally {
    await closeFile(fd)
  }
}

async function joinSegments(deps: CommitDeps, key: StorageKey, options: CommitOptions): Promise<string> {
  const path = joinPath(deps.layout, key, deps.ids.storageKey())
  const fd = await openFile(path, 'wx', fileMode)
  try {
    await copyInto(fd, deps, { key, options })
    await syncData(fd)
  } catch (error) {
    await removeFile(path)
    throw error
  } finally {
    await closeFile(fd)
  }
  return path
}

async function copyInto(
  fd: number,
  deps: CommitDeps,
  { key, options }: { key: StorageKey; options: CommitOptions },
): Promise<void> {
  const writeBack = new WriteBack(fd)
  let position = 0
  const write = async (bytes: Uint8Array): Promise<void> => {
    const written = writeFully(fd, bytes, position)
    position += bytes.byteLength
    try {
      options.onBytes?.(bytes)
    } finally {
      await written
    }
    writeBack.noteWritten(bytes.byteLength)
  }
  try {
    await copySegments(deps, { key, segments: options.segments }, { write })
  } finally {
    await writeBack.settle()
  }
  writeBack.throwFailure()
}

async function moveSource(key: StorageKey, source: string, target: string): Promise<void> {
  try {
    await rename(source, target)
  } catch (error) {
    if (isAbsent(error)) throw new UploadMissing(key, { cause: error })
    throw error
  }
}
