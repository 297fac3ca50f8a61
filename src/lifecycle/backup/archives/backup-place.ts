/**
 * What a backup is written to and read from, a folder or an archive; both hold the same files under the same names.
 *
 *     <DIR>/
 *     |-- backup.json                         the installation that this folder belongs to
 *     |-- blobs/<algorithm>/<xx>/<encoded>    shared by all snapshots
 *     |-- incoming/                           what a running backup copies; left by a killed one
 *     `-- snapshots/<UTC time>/
 *         |-- metadata.db                     SQLite, one file
 *         `-- snapshot.json                   last: with it the snapshot is complete
 *
 * An archive holds one snapshot: `metadata.db`, then the blobs in ascending order of their digests, then `snapshot.json`.
 */
import type { ByteSink } from '../../../blob-store/blob-store.ts'
import type { SnapshotBlob } from '../../../metadata/backup/snapshot-file.ts'
import { encodedOf, type Digest } from '../../../oci/digest.ts'
import type { SnapshotInfo } from './snapshot-info.ts'

/** Copies a blob's bytes to the sink and proves them. Throws `BlobDamaged`, and what the sink throws. */
export type CopyBlob = (sink: ByteSink) => Promise<void>

export interface BackupTarget extends AsyncDisposable {
  /** Of the snapshot. */
  readonly name: string
  /** Where the snapshot's metadata is to be made; nothing is there. */
  readonly metadataFile: string
  /** How many blobs may be copied at the same time. */
  readonly blobsAtOnce: number
  /** Takes the metadata that is in `metadataFile` now; it can be read there until the end. */
  putMetadata(): Promise<SnapshotInfo['metadata']>
  holds(blob: SnapshotBlob): Promise<boolean>
  /** After a failure nothing of the blob is there. */
  putBlob(blob: SnapshotBlob, copy: CopyBlob): Promise<void>
  /** Makes the snapshot complete: durable, in one step. */
  finish(info: SnapshotInfo): Promise<void>
}

export interface BackupBlob {
  readonly size: number
  copyTo(sink: ByteSink): Promise<void>
}

export interface BackupSource extends AsyncDisposable {
  readonly info: SnapshotInfo
  readonly blobsAtOnce: number
  /** Writes the metadata to a new file and syncs it. Returns the digest of what it wrote. */
  copyMetadata(path: string): Promise<Digest>
  /** Ask in ascending order of the digests. `undefined` when it is not there. */
  findBlob(digest: Digest): Promise<BackupBlob | undefined>
  /** Where a file of the snapshot lies, for messages. */
  locate(file: Digest | 'metadata'): string
}

export function blobName(digest: Digest): string {
  const encoded = encodedOf(digest)
  return `blobs/${digest.slice(0, digest.indexOf(':'))}/${encoded.slice(0, 2)}/${encoded}`
}

const blobNamePattern = /^blobs\/(?<algorithm>[a-z0-9]+)\/[0-9a-f]{2}\/(?<encoded>[0-9a-f]+)$/

/** `undefined` for the name of another file. */
export function parseBlobName(name: string): string | undefined {
  const { algorithm, encoded } = blobNamePattern.exec(name)?.groups ?? {}
  return algorithm === undefined ? undefined : `${algorithm}:${encoded}`
}

export function snapshotFolder(name: string): string {
  return `snapshots/${name}`
}

export const metadataName = 'metadata.db'
export const infoName = 'snapshot.json'

/**
 * Runs `work` for each item, so many at a time. The first failure is thrown, once everything that was begun has ended.
 */
export async function forEachAtOnce<T>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]()
  const failures: unknown[] = []
  const run = async (): Promise<void> => {
    try {
      for (let next = queue.next(); next.done !== true && failures.length === 0; next = queue.next()) {
        await work(next.value)
      }
    } catch (error) {
      failures.push(error)
    }
  }
  try {
    await Promise.all(Array.from({ length: atOnce }, run))
  } finally {
    queue.return?.()
  }
  if (failures.length > 0) throw failures[0]
}
