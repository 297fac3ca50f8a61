/**
 * From segments to a blob. The order makes every crash repeatable: bytes durable, one rename, the folder durable,
 * only then the segments are removed. A commit found half done by its repetition goes on from the rename.
 */
import { statSync } from 'node:fs'
import { rename, stat } from 'node:fs/promises'
import type { Ids } from '../../lib/ids.ts'
import type { CommitOptions, StorageKey, StoredBlob } from '../blob-store.ts'
import { UploadMissing } from '../errors.ts'
import type { CopyDeps } from './copy-file.ts'
import { copySegments, openSegmentFile } from './copy-segments.ts'
import { closeFile, openFile, statFile, syncData, truncateFile, writeFully } from './file-io.ts'
import type { FolderSyncs } from './folder-syncs.ts'
import type { Layout } from './layout.ts'
import { blobPath, fileMode, joinPath, segmentPath, shardPath } from './layout.ts'
import { removeCommittedSegments, removeEarlierSegments, removeFile } from './remove-segments.ts'
import type { SyncedSegments } from './synced-segments.ts'
import { isAbsent } from './translate-error.ts'
import { WriteBack } from './write-back.ts'

export interface CommitDeps extends CopyDeps {
  readonly layout: Layout
  readonly folderSyncs: FolderSyncs
  readonly ids: Ids
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
    return removeEarlierSegments(layout, stored.key, options.segments)
  }
  const target = blobPath(layout, stored)
  const total = options.segments.reduce((sum, segment) => sum + segment.size, 0)
  if (!(await holdsBytes(target, total))) {
    try {
      const source = await prepareSource(deps, stored.key, options)
      await moveSource(stored.key, source, target)
    } catch (error) {
      // Two commits of one key may meet after a takeover; the one that finds nothing left was overtaken.
      if (!(error instanceof UploadMissing) || !(await holdsBytes(target, total))) throw error
    }
  }
  await folderSyncs.sync(shardPath(layout, stored.key))
  await removeCommittedSegments(layout, stored.key, options.segments)
}

/**
 * The way of nearly every push: one segment that a writer of this process left synced at exactly this size. Its size is
 * looked at again, for a writer of another process may have gone on in it, and at once, for the system still has it.
 */
async function moveSynced(deps: CommitDeps, stored: StoredBlob, options: CommitOptions): Promise<boolean> {
  const [only, ...others] = options.segments
  if (only === undefined || only.size === 0 || others.length > 0) return false
  const path = segmentPath(deps.layout, stored.key, only.generation)
  const isSynced = deps.syncedSegments.sizeOf(path) === only.size
  deps.syncedSegments.forget(path)
  if (!isSynced || statSync(path, { throwIfNoEntry: false })?.size !== only.size) return false
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

/** The path of one file that holds exactly the blob's bytes, durably. */
async function prepareSource(deps: CommitDeps, key: StorageKey, options: CommitOptions): Promise<string> {
  const [first, ...others] = options.segments
  if (first === undefined || first.size === 0 || others.length > 0) return joinSegments(deps, key, options)
  const path = segmentPath(deps.layout, key, first.generation)
  await trimSegment(key, path, first.size)
  return path
}

/** Syncs too, although the writer did: a commit is durable whoever wrote the bytes. */
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
