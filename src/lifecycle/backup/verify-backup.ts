/**
 * Verifies a snapshot: its metadata is intact, every blob and manifest that the metadata names exists, and every digest matches.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  SnapshotFile,
  SnapshotInvalid,
  type AffectedContent,
  type SnapshotBlob,
} from '../../metadata/backup/snapshot-file.ts'
import { digestBytes, algorithmOf, type Digest } from '../../oci/digest.ts'
import { forEachAtOnce, type BackupSource } from './archives/backup-place.ts'
import { HashingSink, nowhere } from './archives/files.ts'
import { openBackupSource } from './archives/open-place.ts'

export interface Damage extends Partial<AffectedContent> {
  /** The digest of a blob or manifest, or `metadata`. */
  readonly content: Digest | 'metadata'
  readonly reason: string
  /** The path of the damaged file. */
  readonly place: string
}

export interface VerifyResult {
  readonly snapshot: string
  readonly blobs: number
  readonly manifests: number
  /** The bytes of the blobs; all of them are hashed. */
  readonly bytes: number
  readonly damage: readonly Damage[]
}

export interface VerifyOptions {
  readonly place: string
  /** The name of the snapshot. Default: the last complete one. */
  readonly snapshot: string | undefined
  readonly onProgress: (text: string) => void
}

/** Reads everything, changes nothing. Throws `BackupRefused` when the snapshot does not exist. */
export async function verifyBackup({ place, snapshot, onProgress }: VerifyOptions): Promise<VerifyResult> {
  await using source = await openBackupSource(place, snapshot)
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'metadata.db')
  const verification = new Verification(source, onProgress)
  await verification.checkMetadataFile(file)
  try {
    using metadata = new SnapshotFile(file)
    await verification.checkContent(metadata)
  } catch (error) {
    if (error instanceof SnapshotInvalid) verification.note('metadata', error.message)
    else if (isSqliteError(error)) verification.note('metadata', `SQLite cannot read it: ${error.message}`)
    else throw error
  }
  return verification.result()
}

class Verification {
  readonly #source: BackupSource
  readonly #onProgress: (text: string) => void
  readonly #damage: Damage[] = []
  #blobs = 0
  #bytes = 0
  #manifests = 0

  constructor(source: BackupSource, onProgress: (text: string) => void) {
    this.#source = source
    this.#onProgress = onProgress
  }

  result(): VerifyResult {
    return {
      snapshot: this.#source.info.name,
      blobs: this.#blobs,
      manifests: this.#manifests,
      bytes: this.#bytes,
      // Several blobs are read at a time, so damage is found in no fixed order.
      damage: this.#damage.toSorted((a, b) => (a.place < b.place ? -1 : 1)),
    }
  }

  note(content: Damage['content'], reason: string, affected?: AffectedContent): void {
    this.#damage.push({ content, reason, place: this.#source.locate(content), ...affected })
  }

  /** Opens a copy, because the original may be on a read-only disk or in an archive. */
  async checkMetadataFile(copy: string): Promise<void> {
    const digest = await this.#source.copyMetadata(copy)
    if (digest !== this.#source.info.metadata.digest) {
      this.note('metadata', `its digest is ${digest} instead of ${this.#source.info.metadata.digest}`)
    }
  }

  async checkContent(metadata: SnapshotFile): Promise<void> {
    for (const fault of metadata.findFaults()) this.note('metadata', fault)
    for (const { digest, bytes } of metadata.listManifests()) {
      this.#manifests += 1
      if (digestBytes(bytes, algorithmOf(digest)) === digest) continue
      this.note('metadata', `the bytes of manifest ${digest} have another digest`)
    }
    const total = metadata.count().blobs
    await forEachAtOnce(metadata.listBlobs(), this.#source.blobsAtOnce, async (blob) => {
      const fault = await this.#findFault(blob)
      if (fault !== undefined) this.note(blob.digest, fault, metadata.findAffected(blob.digest))
      this.#blobs += 1
      this.#onProgress(`${this.#blobs} of ${total} blobs, ${this.#bytes} bytes`)
    })
  }

  async #findFault({ digest, size }: SnapshotBlob): Promise<string | undefined> {
    const found = await this.#source.findBlob(digest)
    if (found === undefined) {
      return this.#source.info.damaged.includes(digest)
        ? 'it was damaged in the store when the backup was made'
        : 'it is missing'
    }
    if (found.size !== size) return `it has ${found.size} bytes instead of ${size}`
    const hashing = new HashingSink(digest, nowhere)
    try {
      await found.copyTo(hashing)
    } catch (error) {
      return `it cannot be read: ${String(error)}`
    }
    this.#bytes += hashing.bytes
    return hashing.isRight() ? undefined : 'its bytes have another digest'
  }
}

interface TemporaryFolder extends AsyncDisposable {
  readonly path: string
}

async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'lading-verify-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

function isSqliteError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR'
}
