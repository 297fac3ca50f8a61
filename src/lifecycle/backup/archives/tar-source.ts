/** Reads the snapshot of an archive in one pass over its entries. */
import { open, type FileHandle } from 'node:fs/promises'
import type { Digest } from '../../../oci/digest.ts'
import { infoName, metadataName, parseBlobName, type BackupBlob, type BackupSource } from './backup-place.ts'
import { BackupRefused } from '../errors.ts'
import { copyPart, digestFile, fileMode, FileSink } from './files.ts'
import { parseSnapshotInfo, type SnapshotInfo } from './snapshot-info.ts'
import { readTar, type TarEntry } from './tar-format.ts'

// Only the list of damaged blobs can make the file long.
const maxInfoBytes = 16 * 1024 * 1024

/** Reads every header first. Throws `BackupRefused` for an incomplete archive. */
export async function openTarSource(file: string, name: string | undefined): Promise<BackupSource> {
  const handle = await open(file, 'r')
  try {
    const { metadata, info } = await findEntries(handle, file)
    const parsed = parseSnapshotInfo(await readInfo(handle, info), file)
    if (name !== undefined && name !== parsed.name) {
      throw new BackupRefused(
        `${file} holds only snapshot ${parsed.name}, not ${name}; leave --snapshot out, or name another archive`,
      )
    }
    return new TarSource({ handle, file, metadata, info: parsed })
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function findEntries(
  handle: FileHandle,
  file: string,
): Promise<{ readonly metadata: TarEntry; readonly info: TarEntry }> {
  let metadata: TarEntry | undefined
  let info: TarEntry | undefined
  let last = ''
  for await (const entry of readTar(handle, file)) {
    const digest = parseBlobName(entry.name) ?? last
    if (digest < last) throw outOfOrder(file)
    last = digest
    if (entry.name.endsWith(`/${metadataName}`)) metadata = entry
    if (entry.name.endsWith(`/${infoName}`)) info = entry
  }
  if (metadata !== undefined && info !== undefined && info.size <= maxInfoBytes) return { metadata, info }
  throw new BackupRefused(`${file} holds no complete snapshot; name the archive that lading backup wrote`)
}

/** The blobs are read in one pass, in the order of their digests. */
function outOfOrder(file: string): BackupRefused {
  return new BackupRefused(
    `the blobs of ${file} are not in the order of their digests, probably because it was repacked; unpack it and name the folder`,
  )
}

async function readInfo(handle: FileHandle, { start, size }: TarEntry): Promise<string> {
  const pieces: Uint8Array[] = []
  await copyPart({ handle, start, size }, { write: async (piece) => void pieces.push(piece) })
  return Buffer.concat(pieces).toString('utf8')
}

interface TarParts {
  readonly handle: FileHandle
  readonly file: string
  readonly metadata: TarEntry
  readonly info: SnapshotInfo
}

class TarSource implements BackupSource {
  readonly info: SnapshotInfo
  /** One at a time, because entries are read in their order. */
  readonly blobsAtOnce = 1
  readonly #parts: TarParts
  readonly #blobs: AsyncGenerator<{ readonly digest: string; readonly entry: TarEntry }>
  #next: { readonly digest: string; readonly entry: TarEntry } | undefined

  constructor(parts: TarParts) {
    this.#parts = parts
    this.info = parts.info
    this.#blobs = listBlobs(parts)
  }

  async copyMetadata(path: string): Promise<Digest> {
    const { handle, metadata } = this.#parts
    {
      await using target = await open(path, 'wx', fileMode)
      await copyPart({ handle, ...metadata }, new FileSink(target))
      await target.sync()
    }
    return (await digestFile(path)).digest
  }

  async findBlob(digest: Digest): Promise<BackupBlob | undefined> {
    while (this.#next === undefined || this.#next.digest < digest) {
      const step = await this.#blobs.next()
      if (step.done === true) return undefined
      this.#next = step.value
    }
    if (this.#next.digest !== digest) return undefined
    const { handle } = this.#parts
    const { start, size } = this.#next.entry
    return { size, copyTo: (sink) => copyPart({ handle, start, size }, sink) }
  }

  locate(file: Digest | 'metadata'): string {
    return `${file === 'metadata' ? metadataName : `blob ${file}`} in ${this.#parts.file}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#blobs.return(undefined)
    await this.#parts.handle.close()
  }
}

async function* listBlobs({
  handle,
  file,
}: TarParts): AsyncGenerator<{ readonly digest: string; readonly entry: TarEntry }> {
  for await (const entry of readTar(handle, file)) {
    const digest = parseBlobName(entry.name)
    if (digest !== undefined) yield { digest, entry }
  }
}
