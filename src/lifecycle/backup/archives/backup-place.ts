/**
 * The place of a backup, a folder or an archive. Both contain the same files under the same names.
 *
 *     <DIR>/
 *     |-- backup.json                         the installation that this folder belongs to
 *     |-- blobs/<algorithm>/<xx>/<encoded>    shared by all snapshots
 *     |-- incoming/                           blobs being copied; a killed backup leaves them
 *     `-- snapshots/<UTC time>/
 *         |-- metadata.db                     SQLite, one file
 *         `-- snapshot.json                   written last: completes the snapshot
 *
 * An archive holds one snapshot: `metadata.db`, then the blobs in ascending order of their digests, then `snapshot.json`.
 */
import type { ByteSink } from '../../../blob-store/blob-store.ts'
import type { SnapshotBlob } from '../../../metadata/backup/snapshot-file.ts'
import { encodedOf, type Digest } from '../../../oci/digest.ts'
import type { SnapshotInfo } from './snapshot-info.ts'

/** Copies a blob's bytes to the sink and checks them. Throws `BlobDamaged`, and errors of the sink. */
export type CopyBlob = (sink: ByteSink) => Promise<void>

export interface BackupTarget extends AsyncDisposable {
  /** The name of the snapshot. */
  readonly name: string
  /** The path at which the caller creates the snapshot's metadata; there is no file yet. */
  readonly metadataFile: string
  /** The most blobs to copy at the same time. */
  readonly blobsAtOnce: number
  /** Stores the metadata in `metadataFile`; the file stays readable until the end. */
  putMetadata(): Promise<SnapshotInfo['metadata']>
  holds(blob: SnapshotBlob): Promise<boolean>
  /** Stores a blob. Leaves nothing of it behind after a failure. */
  putBlob(blob: SnapshotBlob, copy: CopyBlob): Promise<void>
  /** Makes the snapshot complete: durably and atomically. */
  finish(info: SnapshotInfo): Promise<void>
}

export interface BackupBlob {
  readonly size: number
  copyTo(sink: ByteSink): Promise<void>
}

export interface BackupSource extends AsyncDisposable {
  readonly info: SnapshotInfo
  readonly blobsAtOnce: number
  /** Writes the metadata to a new file and syncs it. Returns the digest of the written bytes. */
  copyMetadata(path: string): Promise<Digest>
  /** Returns `undefined` when the blob is missing. Call it in ascending order of the digests. */
  findBlob(digest: Digest): Promise<BackupBlob | undefined>
  /** Returns the path of a file of the snapshot, for messages. */
  locate(file: Digest | 'metadata'): string
}

export function blobName(digest: Digest): string {
  const encoded = encodedOf(digest)
  return `blobs/${digest.slice(0, digest.indexOf(':'))}/${encoded.slice(0, 2)}/${encoded}`
}

const blobNamePattern = /^blobs\/(?<algorithm>[a-z0-9]+)\/[0-9a-f]{2}\/(?<encoded>[0-9a-f]+)$/

/** Returns `undefined` for the name of any other file. */
export function parseBlobName(name: string): string | undefined {
  const { algorithm, encoded } = blobNamePattern.exec(name)?.groups ?? {}
  return algorithm === undefined ? undefined : `${algorithm}:${encoded}`
}

export function snapshotFolder(name: string): string {
  return `snapshots/${name}`
}

export const metadataName = 'metadata.db'
export const infoName = 'snapshot.json'

/** Runs `work` for each item, at most `atOnce` at a time. Throws the first failure once all started work has ended. */
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
