/** Writes a snapshot into the folder of a backup; only the blobs that are not there yet are copied. */
import { open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { SnapshotBlob } from '../../metadata/backup/snapshot-file.ts'
import {
  blobName,
  infoName,
  metadataName,
  snapshotFolder,
  type BackupTarget,
  type CopyBlob,
} from './backup-place.ts'
import { BackupRefused } from './errors.ts'
import {
  digestFile,
  fileMode,
  FileSink,
  findFileSize,
  findText,
  isThere,
  makeDurableFolder,
  removeFile,
  syncPath,
  writeTextFile,
} from './files.ts'
import { formatSnapshotInfo, isSnapshotName, type SnapshotInfo } from './snapshot-info.ts'

export interface FolderTargetOptions {
  readonly folder: string
  /** Of the snapshot. */
  readonly name: string
  readonly installation: string
}

/**
 * Makes the folders and removes what a killed backup left; call it while no other backup runs. Throws `BackupRefused`
 * for a folder that holds something else.
 */
export async function openFolderTarget(options: FolderTargetOptions): Promise<BackupTarget> {
  const { folder, name, installation } = options
  await claimFolder(folder, installation)
  await removeUnfinished(folder)
  const snapshot = join(folder, snapshotFolder(name))
  await makeDurableFolder(join(folder, 'blobs'))
  await makeDurableFolder(join(folder, 'incoming'))
  await makeDurableFolder(snapshot)
  return new FolderTarget(folder, snapshot)
}

async function claimFolder(folder: string, installation: string): Promise<void> {
  const file = join(folder, 'backup.json')
  const text = await findText(file)
  if (text === undefined) {
    if ((await isThere(folder)) && (await readdir(folder)).some((name) => name !== 'backup.json.partial')) {
      throw new BackupRefused(
        `${folder} is not empty and holds no backup; name a new folder, or an empty one`,
      )
    }
    await makeDurableFolder(folder)
    await writeTextFile(file, `${JSON.stringify({ installation })}\n`)
    return
  }
  const owner = readOwner(text)
  if (owner === installation) return
  throw new BackupRefused(
    `${folder} holds the backup of installation ${owner ?? 'unknown'}, but this is installation ${installation}; name another folder`,
  )
}

function readOwner(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { installation?: string }).installation
  } catch {
    return undefined
  }
}

/** A snapshot without its last file is ignored by everything else. */
async function removeUnfinished(folder: string): Promise<void> {
  await rm(join(folder, 'incoming'), { recursive: true, force: true })
  const snapshots = join(folder, 'snapshots')
  if (!(await isThere(snapshots))) return
  for (const name of await readdir(snapshots)) {
    if (!isSnapshotName(name) || (await isThere(join(snapshots, name, infoName)))) continue
    await rm(join(snapshots, name), { recursive: true, force: true })
  }
}

class FolderTarget implements BackupTarget {
  readonly metadataFile: string
  readonly blobsAtOnce = 4
  readonly #folder: string
  readonly #snapshot: string
  /** Those with blobs of the snapshot: synced at the end, before it becomes complete. */
  readonly #namedFolders = new Set<string>()
  #count = 0
  #isFinished = false

  constructor(folder: string, snapshot: string) {
    this.#folder = folder
    this.#snapshot = snapshot
    this.metadataFile = join(snapshot, metadataName)
  }

  async putMetadata(): Promise<SnapshotInfo['metadata']> {
    await syncPath(this.metadataFile)
    return await digestFile(this.metadataFile)
  }

  async holds({ digest, size }: SnapshotBlob): Promise<boolean> {
    const path = join(this.#folder, blobName(digest))
    if ((await findFileSize(path)) !== size) return false
    // A killed backup may have left it before its name was synced.
    this.#namedFolders.add(dirname(path))
    return true
  }

  async putBlob({ digest }: SnapshotBlob, copy: CopyBlob): Promise<void> {
    const path = join(this.#folder, blobName(digest))
    const draft = join(this.#folder, 'incoming', String(this.#count++))
    try {
      {
        await using handle = await open(draft, 'wx', fileMode)
        await copy(new FileSink(handle))
        await handle.sync()
      }
      await makeDurableFolder(dirname(path))
      await rename(draft, path)
    } catch (error) {
      await removeFile(draft)
      throw error
    }
    this.#namedFolders.add(dirname(path))
  }

  async finish(info: SnapshotInfo): Promise<void> {
    for (const folder of this.#namedFolders) await syncPath(folder)
    await syncPath(this.#snapshot)
    await writeTextFile(join(this.#snapshot, infoName), formatSnapshotInfo(info))
    this.#isFinished = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(join(this.#folder, 'incoming'), { recursive: true, force: true })
    if (!this.#isFinished) await rm(this.#snapshot, { recursive: true, force: true })
  }
}
