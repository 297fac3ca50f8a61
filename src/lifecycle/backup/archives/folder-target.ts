/** Writes a snapshot into a backup folder; copies only blobs that are not there yet. */
import { randomBytes } from 'node:crypto'
import { open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { removeFolderIfEmpty } from '../../../lib/folders.ts'
import type { SnapshotBlob } from '../../../metadata/backup/snapshot-file.ts'
import {
  blobName,
  infoName,
  metadataName,
  snapshotFolder,
  type BackupTarget,
  type CopyBlob,
} from './backup-place.ts'
import { BackupRefused } from '../errors.ts'
import { listCompleteSnapshots } from './folder-source.ts'
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
import { formatSnapshotInfo, isSnapshotName, nameAfter, type SnapshotInfo } from './snapshot-info.ts'

const incomingName = 'incoming'

export interface FolderTargetOptions {
  readonly folder: string
  /** The preferred name of the snapshot. A later name is used if this one does not sort after the existing snapshots. */
  readonly name: string
  readonly installation: string
}

/**
 * Creates the folders and removes the files of a killed backup; call it while no other backup runs. Throws `BackupRefused` for a
 * folder that contains something else.
 */
export async function openFolderTarget(options: FolderTargetOptions): Promise<BackupTarget> {
  const { folder, installation } = options
  await claimFolder(folder, installation)
  await removeUnfinished(folder)
  // If the clock was ahead, the last snapshot has a later name than now; the new name must still sort after it.
  const name = nameAfter((await listCompleteSnapshots(folder)).at(-1), options.name)
  // Each backup has its own folder: a stopped backup that continues after another took over must not touch the other one's files.
  const incoming = join(folder, incomingName, randomBytes(6).toString('hex'))
  for (const path of [join(folder, 'blobs'), incoming, join(folder, snapshotFolder(name))])
    await makeDurableFolder(path)
  return new FolderTarget({ folder, incoming, name })
}

async function claimFolder(folder: string, installation: string): Promise<void> {
  const file = join(folder, 'backup.json')
  const text = await findText(file)
  if (text === undefined) {
    if ((await isThere(folder)) && (await readdir(folder)).some((name) => name !== 'backup.json.partial')) {
      throw new BackupRefused(`${folder} is not empty and is not a backup; name a new or an empty folder`)
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

/** Removes incomplete snapshots; everything else ignores a snapshot without its last file. */
async function removeUnfinished(folder: string): Promise<void> {
  await rm(join(folder, incomingName), { recursive: true, force: true })
  const snapshots = join(folder, 'snapshots')
  if (!(await isThere(snapshots))) return
  for (const name of await readdir(snapshots)) {
    if (!isSnapshotName(name) || (await isThere(join(snapshots, name, infoName)))) continue
    await rm(join(snapshots, name), { recursive: true, force: true })
  }
}

interface FolderParts {
  readonly folder: string
  readonly incoming: string
  readonly name: string
}

class FolderTarget implements BackupTarget {
  readonly name: string
  readonly metadataFile: string
  readonly blobsAtOnce = 4
  readonly #folder: string
  readonly #incoming: string
  readonly #snapshot: string
  /** Folders that contain blobs of the snapshot; they are synced at the end, before it becomes complete. */
  readonly #namedFolders = new Set<string>()
  #count = 0
  #isFinished = false

  constructor({ folder, incoming, name }: FolderParts) {
    this.#folder = folder
    this.#incoming = incoming
    this.#snapshot = join(folder, snapshotFolder(name))
    this.name = name
    this.metadataFile = join(this.#snapshot, metadataName)
  }

  async putMetadata(): Promise<SnapshotInfo['metadata']> {
    await syncPath(this.metadataFile)
    return await digestFile(this.metadataFile)
  }

  async holds({ digest, size }: SnapshotBlob): Promise<boolean> {
    const path = join(this.#folder, blobName(digest))
    if ((await findFileSize(path)) !== size) return false
    // A killed backup may have left the file before its name was synced.
    this.#namedFolders.add(dirname(path))
    return true
  }

  async putBlob({ digest }: SnapshotBlob, copy: CopyBlob): Promise<void> {
    const path = join(this.#folder, blobName(digest))
    const draft = join(this.#incoming, String(this.#count++))
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
    await rm(this.#incoming, { recursive: true, force: true })
    await removeFolderIfEmpty(dirname(this.#incoming))
    if (!this.#isFinished) await rm(this.#snapshot, { recursive: true, force: true })
  }
}
