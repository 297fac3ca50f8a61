/**
 * @module Backs up a registry, whether it is running or not. First it stops the deletion of bytes, then it copies a consistent
 * state of the metadata, then the blobs that this metadata names; `snapshot.json` makes the snapshot complete. A killed backup is
 * simply run again: everything else ignores its files, and the next backup removes or reuses them.
 */
import type { BlobReader, BlobStore, ByteSink } from '../../blob-store/blob-store.ts'
import { BlobMissing } from '../../blob-store/errors.ts'
import { SnapshotFile, type AffectedContent, type SnapshotBlob } from '../../metadata/backup/snapshot-file.ts'
import { takeSnapshot } from '../../metadata/backup/take-snapshot.ts'
import { findInstallation } from '../../metadata/system/installation.ts'
import type { Digest } from '../../oci/digest.ts'
import { forEachAtOnce, type BackupTarget } from './archives/backup-place.ts'
import { holdDeletions, type HoldDeps } from './deletion-hold.ts'
import { BackupRefused, BlobDamaged } from './errors.ts'
import { HashingSink } from './archives/files.ts'
import { openBackupTarget } from './archives/open-place.ts'
import { formatSnapshotName, type SnapshotInfo } from './archives/snapshot-info.ts'
import { messageOf } from '../../lib/message-of.ts'

export interface BackupDeps extends HoldDeps {
  readonly store: BlobStore
  /** The file of the SQLite database, if there is one. */
  readonly databaseFile: string
  /** Returns the place of a blob's bytes in the store, to show to a person. */
  readonly locateBlob: (blob: Pick<SnapshotBlob, 'digest' | 'storageKey'>) => string
  /** The version of this program. */
  readonly version: string
  /** Called with the current step, for display. */
  readonly onProgress: (text: string) => void
}

export interface DamagedContent extends AffectedContent {
  readonly digest: Digest
  readonly reason: string
}

export interface BackupResult extends Omit<SnapshotInfo, 'damaged'> {
  /** Blobs that the backup did not contain before, and their bytes. */
  readonly copied: number
  readonly copiedBytes: number
  /** Blobs that an earlier snapshot had copied. */
  readonly kept: number
  readonly damaged: readonly DamagedContent[]
}

/** Throws `BackupRefused`, `MetadataUnavailable`, and errors of the target's file system. */
export async function runBackup(deps: BackupDeps, place: string): Promise<BackupResult> {
  const { metadata, clock } = deps
  const installation = await getInstallation(deps)
  await using resources = new AsyncDisposableStack()
  const hold = resources.use(await holdDeletions(deps))
  const now = clock.now()
  const target = resources.use(
    await openBackupTarget({ place, name: formatSnapshotName(now), installation, now }),
  )
  await takeSnapshot({
    metadata,
    file: deps.databaseFile,
    target: target.metadataFile,
    clock,
    onProgress: deps.onProgress,
    signal: hold.signal,
  })
  const { metadata: file, copied } = await copyContent(deps, target, hold.signal)
  await hold.confirm()
  using snapshot = new SnapshotFile(target.metadataFile)
  const info: SnapshotInfo = {
    name: target.name,
    installation,
    lading: deps.version,
    schema: snapshot.schema(),
    created: new Date(now).toISOString(),
    ...snapshot.count(),
    metadata: file,
    damaged: [...copied.faults.keys()].toSorted(),
  }
  refuseDamagedDatabase(snapshot)
  if (copied.faults.size > 0) await refuseLostStore(deps.store, installation)
  await target.finish(info)
  const damaged = [...copied.faults].map(([digest, reason]) => ({
    digest,
    reason,
    ...snapshot.findAffected(digest),
  }))
  return { ...info, damaged, copied: copied.blobs, copiedBytes: copied.bytes, kept: copied.kept }
}

/** Throws `BackupRefused` unless the database and the store belong to the same installation. */
async function getInstallation({ metadata, store }: BackupDeps): Promise<string> {
  const installation = await findInstallation(metadata.reader)
  if (installation === undefined) {
    throw new BackupRefused(
      'the database belongs to no registry yet; start lading serve once, then back it up',
    )
  }
  const owner = await store.readInstallationId()
  if (owner !== installation) {
    throw new BackupRefused(
      `the database belongs to installation ${installation}, but the store ${owner === undefined ? 'has no installation id' : `belongs to installation ${owner}`}; name a database and a store that belong together`,
    )
  }
  return installation
}

/** Throws for a damaged database: a snapshot that cannot be restored must not be called complete. */
function refuseDamagedDatabase(snapshot: SnapshotFile): void {
  const faults = snapshot.findFaults()
  if (faults.length === 0) return
  throw new BackupRefused(
    `the database is damaged (${faults.join('; ')}); this snapshot was discarded: stop the server, move the database away, and restore an earlier snapshot with lading restore --database-only`,
  )
}

/** Throws when the store is gone: in the mount point of an unmounted volume every blob looks damaged. */
async function refuseLostStore(store: BlobStore, installation: string): Promise<void> {
  if ((await store.readInstallationId()) === installation) return
  throw new BackupRefused(
    'the blob store disappeared while the backup ran; this snapshot was discarded: mount the volume of the store, then run the backup again',
  )
}

interface Copied {
  blobs: number
  bytes: number
  kept: number
  /** The reason why each damaged blob was left out. */
  readonly faults: Map<Digest, string>
}

async function copyContent(
  { store, locateBlob, onProgress }: BackupDeps,
  target: BackupTarget,
  signal: AbortSignal,
): Promise<{ readonly metadata: SnapshotInfo['metadata']; readonly copied: Copied }> {
  const metadata = await target.putMetadata()
  using snapshot = new SnapshotFile(target.metadataFile)
  const total = snapshot.count()
  const copied: Copied = { blobs: 0, bytes: 0, kept: 0, faults: new Map() }
  await forEachAtOnce(snapshot.listBlobs(), target.blobsAtOnce, async (blob) => {
    signal.throwIfAborted()
    await copyBlob({ store, locateBlob, target, signal }, blob, copied)
    const done = copied.blobs + copied.kept + copied.faults.size
    onProgress(`${done} of ${total.blobs} blobs, ${copied.bytes} bytes copied`)
  })
  return { metadata, copied }
}

interface CopyParts extends Pick<BackupDeps, 'store' | 'locateBlob'> {
  readonly target: BackupTarget
  readonly signal: AbortSignal
}

async function copyBlob(parts: CopyParts, blob: SnapshotBlob, copied: Copied): Promise<void> {
  const { store, target } = parts
  if (await target.holds(blob)) {
    copied.kept += 1
    return
  }
  try {
    await using reader = await openStored(store, blob)
    await target.putBlob(blob, (sink) => copyProven({ ...parts, reader }, blob, sink))
    copied.blobs += 1
    copied.bytes += blob.size
  } catch (error) {
    if (!(error instanceof BlobDamaged)) throw error
    copied.faults.set(blob.digest, error.message)
  }
}

async function openStored(store: BlobStore, { digest, storageKey, size }: SnapshotBlob): Promise<BlobReader> {
  const reader = await openReader(store, { digest, key: storageKey })
  if (reader.size === size) return reader
  await reader[Symbol.asyncDispose]()
  throw new BlobDamaged('size', `the store holds ${reader.size} bytes instead of ${size}`)
}

async function openReader(store: BlobStore, stored: { digest: Digest; key: string }): Promise<BlobReader> {
  try {
    return await store.open(stored)
  } catch (error) {
    if (error instanceof BlobMissing) {
      throw new BlobDamaged('missing', 'the store does not contain it', { cause: error })
    }
    throw unreadable(error)
  }
}

/** Copies a blob and checks its digest. An error of the sink ends the backup; an error of the store affects only this blob. */
async function copyProven(
  { reader, locateBlob, signal }: Pick<CopyParts, 'locateBlob' | 'signal'> & { reader: BlobReader },
  blob: SnapshotBlob,
  sink: ByteSink,
): Promise<void> {
  const { digest, size } = blob
  let sinkFailed = false
  const guarded: ByteSink = {
    async write(bytes) {
      try {
        await sink.write(bytes)
      } catch (error) {
        sinkFailed = true
        throw error
      }
    },
  }
  const hashing = new HashingSink(digest, guarded)
  try {
    await reader.copyTo(hashing, { signal })
  } catch (error) {
    signal.throwIfAborted()
    throw sinkFailed ? error : unreadable(error)
  }
  if (hashing.bytes !== size) {
    throw new BlobDamaged('size', `the store sent ${hashing.bytes} bytes instead of ${size}`)
  }
  if (hashing.isRight()) return
  // The registry checks only sizes, so it uses this file as the blob.
  throw new BlobDamaged(
    'digest',
    `the bytes in the store have another digest; clients receive them and a push does not replace them until you move ${locateBlob(blob)} away`,
  )
}

function unreadable(error: unknown): BlobDamaged {
  const reason = messageOf(error)
  return new BlobDamaged('unreadable', `the store cannot read it: ${reason}`, { cause: error })
}
