/** Writes one snapshot as an archive: under a temporary name until it is complete. */
import { randomBytes } from 'node:crypto'
import { open, readdir, rename, type FileHandle } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { removeSqliteFile } from '../../../metadata/dialects/sqlite/files/files.ts'
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
import {
  copyPart,
  digestFile,
  fileMode,
  FileSink,
  isThere,
  makeDurableFolder,
  removeFile,
  syncPath,
} from './files.ts'
import { formatSnapshotInfo, type SnapshotInfo } from './snapshot-info.ts'
import { formatTarHeader, paddingOf, tarEnd } from './tar-format.ts'

export interface TarTargetOptions {
  readonly file: string
  /** The name of the snapshot. */
  readonly name: string
  /** The time for the entries, in milliseconds since the epoch. */
  readonly now: number
}

/** Removes the files that a killed backup to the same archive left. Throws `BackupRefused` when the archive already exists. */
export async function openTarTarget({ file, name, now }: TarTargetOptions): Promise<BackupTarget> {
  await refuseExisting(file)
  await makeDurableFolder(dirname(resolve(file)))
  await removeDrafts(file)
  // Each backup has its own files: a stopped backup that continues after another took over still has its files open.
  const own = `${file}.${randomBytes(6).toString('hex')}`
  const draft = `${own}.partial`
  const metadataFile = `${own}.metadata.partial`
  const handle = await open(draft, 'wx', fileMode)
  return new TarTarget({ file, draft, metadataFile, handle, name, now })
}

async function refuseExisting(file: string): Promise<void> {
  if (!(await isThere(file))) return
  throw new BackupRefused(`${file} already exists; a backup never overwrites an archive: name another file`)
}

const draftEnd = /^\.[0-9a-f]{12}(?:\.metadata)?\.partial(?:-wal|-shm|-journal)?$/

async function removeDrafts(file: string): Promise<void> {
  const [folder, start] = [dirname(resolve(file)), basename(file)]
  for (const name of await readdir(folder)) {
    const isDraft = name.startsWith(start) && draftEnd.test(name.slice(start.length))
    if (isDraft) await removeFile(`${folder}/${name}`)
  }
}

interface TarParts {
  readonly file: string
  readonly draft: string
  readonly metadataFile: string
  readonly handle: FileHandle
  readonly name: string
  readonly now: number
}

class TarTarget implements BackupTarget {
  /** One at a time, in the order of the digests. */
  readonly blobsAtOnce = 1
  readonly name: string
  readonly metadataFile: string
  readonly #parts: TarParts
  readonly #sink: FileSink

  constructor(parts: TarParts) {
    this.#parts = parts
    this.#sink = new FileSink(parts.handle)
    this.name = parts.name
    this.metadataFile = parts.metadataFile
  }

  async putMetadata(): Promise<SnapshotInfo['metadata']> {
    const { metadataFile, name } = this.#parts
    const metadata = await digestFile(metadataFile)
    await using source = await open(metadataFile, 'r')
    await this.#put({ name: `${snapshotFolder(name)}/${metadataName}`, size: metadata.bytes }, () =>
      copyPart({ handle: source, start: 0, size: metadata.bytes }, this.#sink),
    )
    return metadata
  }

  holds(): Promise<boolean> {
    return Promise.resolve(false)
  }

  async putBlob({ digest, size }: SnapshotBlob, copy: CopyBlob): Promise<void> {
    const start = this.#sink.position
    try {
      await this.#put({ name: blobName(digest), size }, () => copy(this.#sink))
    } catch (error) {
      await this.#parts.handle.truncate(start)
      this.#sink.position = start
      throw error
    }
  }

  async finish(info: SnapshotInfo): Promise<void> {
    const { file, draft, handle, name } = this.#parts
    const text = Buffer.from(formatSnapshotInfo(info))
    await this.#put({ name: `${snapshotFolder(name)}/${infoName}`, size: text.byteLength }, () =>
      this.#sink.write(text),
    )
    await this.#sink.write(tarEnd)
    await handle.sync()
    // Another registry's backup may have created the file in the meantime.
    await refuseExisting(file)
    await rename(draft, file)
    await syncPath(dirname(resolve(file)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { draft, metadataFile, handle } = this.#parts
    await handle.close()
    await removeFile(draft)
    await removeSqliteFile(metadataFile)
  }

  async #put(entry: { name: string; size: number }, write: () => Promise<void>): Promise<void> {
    await this.#sink.write(formatTarHeader({ ...entry, modifiedAt: this.#parts.now }))
    await write()
    await this.#sink.write(Buffer.alloc(paddingOf(entry.size)))
  }
}
