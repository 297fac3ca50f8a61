/** Reads and writes files of a backup: they are written under a temporary name, synced, then renamed; they are read in pieces. */
import { createHash, type Hash } from 'node:crypto'
import { open, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { ByteSink } from '../../../blob-store/blob-store.ts'
import { findMissingFolders, makeFolder } from '../../../lib/folders.ts'
import { algorithmOf, encodedOf, type Digest } from '../../../oci/digest.ts'

/** Private, because metadata contains password hashes and signing keys, and blobs may be private. */
export const fileMode = 0o600
const folderMode = 0o700
const pieceBytes = 256 * 1024

/** Creates missing folders and syncs their parents. Throws `FolderError`. */
export async function makeDurableFolder(path: string): Promise<void> {
  const missing = await findMissingFolders(path)
  if (missing.length === 0) return
  await makeFolder(path, folderMode)
  for (const folder of missing) await syncPath(dirname(folder))
}

export async function syncPath(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}

/** Returns `undefined` when the file does not exist. */
export async function findFileSize(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path)
    return found.isFile() ? found.size : undefined
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

export async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

/** Returns `undefined` when the file does not exist. */
export async function findText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

/** Writes the text durably; readers see all of it or none. */
export async function writeTextFile(path: string, text: string): Promise<void> {
  const draft = `${path}.partial`
  {
    await using handle = await open(draft, 'w', fileMode)
    await handle.writeFile(text)
    await handle.sync()
  }
  await rename(draft, path)
  await syncPath(dirname(path))
}

export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true })
}

/** Counts and hashes the bytes of one blob. */
export class HashingSink implements ByteSink {
  readonly #hash: Hash
  readonly #digest: Digest
  readonly #sink: ByteSink
  bytes = 0

  constructor(digest: Digest, sink: ByteSink) {
    this.#hash = createHash(algorithmOf(digest))
    this.#digest = digest
    this.#sink = sink
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.bytes += bytes.byteLength
    this.#hash.update(bytes)
    await this.#sink.write(bytes)
  }

  /** Whether the bytes match the digest. Call it once, at the end. */
  isRight(): boolean {
    return this.#hash.digest('hex') === encodedOf(this.#digest)
  }
}

export const nowhere: ByteSink = { write: () => Promise.resolve() }

/** Appends at `position` and advances it. */
export class FileSink implements ByteSink {
  readonly #handle: FileHandle
  position: number

  constructor(handle: FileHandle, position = 0) {
    this.#handle = handle
    this.position = position
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let written = 0; written < bytes.byteLength;) {
      const { bytesWritten } = await this.#handle.write(
        bytes,
        written,
        bytes.byteLength - written,
        this.position,
      )
      written += bytesWritten
      this.position += bytesWritten
    }
  }
}

export interface FilePart {
  readonly handle: FileHandle
  readonly start: number
  readonly size: number
}

/** Copies a part of a file. The sink may keep each piece. A file that ends too early is not an error here. */
export async function copyPart({ handle, start, size }: FilePart, sink: ByteSink): Promise<void> {
  for (let done = 0; done < size;) {
    const piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, size - done))
    const { bytesRead } = await handle.read(piece, 0, piece.byteLength, start + done)
    if (bytesRead === 0) return
    await sink.write(piece.subarray(0, bytesRead))
    done += bytesRead
  }
}

/** Returns the size and the digest of a file that is no longer written. */
export async function digestFile(path: string): Promise<{ readonly bytes: number; readonly digest: Digest }> {
  await using handle = await open(path, 'r')
  const hash = createHash('sha256')
  const { size } = await handle.stat()
  let bytes = 0
  await copyPart(
    { handle, start: 0, size },
    {
      async write(piece) {
        bytes += piece.byteLength
        hash.update(piece)
      },
    },
  )
  return { bytes, digest: `sha256:${hash.digest('hex')}` as Digest }
}

export function isAbsent(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
