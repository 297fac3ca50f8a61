/** Reads a snapshot from a backup folder. */
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ByteSink } from '../../../blob-store/blob-store.ts'
import type { Digest } from '../../../oci/digest.ts'
import {
  blobName,
  infoName,
  metadataName,
  snapshotFolder,
  type BackupBlob,
  type BackupSource,
} from './backup-place.ts'
import { BackupRefused } from '../errors.ts'
import { copyPart, digestFile, fileMode, FileSink, findFileSize, findText, isThere } from './files.ts'
import { isSnapshotName, parseSnapshotInfo, type SnapshotInfo } from './snapshot-info.ts'

/** Opens the named snapshot, or the last complete one. Throws `BackupRefused`. */
export async function openFolderSource(folder: string, name: string | undefined): Promise<BackupSource> {
  if (!(await isThere(folder))) {
    throw new BackupRefused(
      `${folder} does not exist; name the folder or the archive that lading backup wrote`,
    )
  }
  const complete = await listCompleteSnapshots(folder)
  const chosen = name ?? complete.at(-1)
  if (chosen === undefined) {
    throw new BackupRefused(
      `${folder} holds no complete snapshot; name the folder or the .tar archive that lading backup wrote`,
    )
  }
  if (!complete.includes(chosen)) {
    throw new BackupRefused(
      `${folder} holds no complete snapshot ${chosen}; ${complete.length === 0 ? 'it holds none' : `it holds ${complete.join(', ')}`}`,
    )
  }
  const file = join(folder, snapshotFolder(chosen), infoName)
  return new FolderSource(folder, parseSnapshotInfo((await findText(file)) ?? '', file))
}

/** Returns the names, oldest first. */
export async function listCompleteSnapshots(folder: string): Promise<readonly string[]> {
  const snapshots = join(folder, 'snapshots')
  if (!(await isThere(snapshots))) return []
  const names = (await readdir(snapshots)).filter(isSnapshotName).toSorted()
  const complete = await Promise.all(names.map((name) => isThere(join(snapshots, name, infoName))))
  return names.filter((_name, index) => complete[index])
}

class FolderSource implements BackupSource {
  readonly info: SnapshotInfo
  readonly blobsAtOnce = 4
  readonly #folder: string

  constructor(folder: string, info: SnapshotInfo) {
    this.#folder = folder
    this.info = info
  }

  async copyMetadata(path: string): Promise<Digest> {
    await using source = await open(this.locate('metadata'), 'r')
    const { size } = await source.stat()
    {
      await using target = await open(path, 'wx', fileMode)
      await copyPart({ handle: source, start: 0, size }, new FileSink(target))
      await target.sync()
    }
    return (await digestFile(path)).digest
  }

  async findBlob(digest: Digest): Promise<BackupBlob | undefined> {
    const path = this.locate(digest)
    const size = await findFileSize(path)
    if (size === undefined) return undefined
    return {
      size,
      async copyTo(sink: ByteSink) {
        await using handle = await open(path, 'r')
        await copyPart({ handle, start: 0, size }, sink)
      },
    }
  }

  locate(file: Digest | 'metadata'): string {
    if (file === 'metadata') return join(this.#folder, snapshotFolder(this.info.name), metadataName)
    return join(this.#folder, blobName(file))
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
