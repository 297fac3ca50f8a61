/**
 * @module Restores a snapshot: first the blobs, under the storage keys that its metadata names, then the metadata in one step. A
 * killed restore is run again and continues; until it has finished, no registry starts on the store.
 */
import { randomInt } from 'node:crypto'
import { dirname } from 'node:path'
import type { BlobStore } from '../../blob-store/blob-store.ts'
import { BlobMissing } from '../../blob-store/errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { formatCount } from '../../lib/format-count.ts'
import type { Digest } from '../../oci/digest.ts'
import {
  DatabaseTaken,
  prepareDraft,
  setDraftJudgesSince,
  type RestoreDatabase,
} from '../../metadata/backup/restore-metadata.ts'
import { SnapshotFile, type SnapshotBlob } from '../../metadata/backup/snapshot-file.ts'
import { lockFile } from '../../metadata/dialects/sqlite/lock.ts'
import { removeSqliteFile } from '../../metadata/dialects/sqlite/files/files.ts'
import { forEachAtOnce, type BackupBlob, type BackupSource } from './archives/backup-place.ts'
import { findJudgementStart } from '../judgement.ts'
import { BackupRefused, BlobDamaged } from './errors.ts'
import { HashingSink, makeDurableFolder } from './archives/files.ts'
import { openBackupSource } from './archives/open-place.ts'
import { decideRestore, type RestoreDecision, type StoreState } from './restore-decision.ts'
import { formatRestoreMarker, parseRestoreMarker } from './restore-marker.ts'
import type { DamagedContent } from './run-backup.ts'
import type { SnapshotInfo } from './archives/snapshot-info.ts'

export interface RestoreDeps {
  readonly database: RestoreDatabase
  readonly store: {
    /** Reads the state of the store; creates nothing. */
    readState(): Promise<StoreState>
    /** Opens the store and creates missing folders. */
    open(): Promise<BlobStore>
  }
  readonly clock: Clock
  /** A file for the metadata until it is put in place; nothing else uses it. */
  readonly draft: string
  readonly onProgress: (text: string) => void
}

export interface RestoreOptions {
  readonly place: string
  /** The name of the snapshot. Default: the one that an earlier run began with, or the last complete one. */
  readonly snapshot: string | undefined
  /**
   * Whether to restore only the database and keep the store of the same installation. The store keeps blobs that are newer than
   * the snapshot.
   */
  readonly databaseOnly: boolean
  /** Whether to continue when blobs of the backup are damaged. */
  readonly skipDamaged: boolean
}

export interface RestoreResult {
  readonly snapshot: string
  readonly installation: string
  readonly blobs: number
  readonly manifests: number
  readonly repositories: number
  /** Blobs that this run wrote into the store, and their bytes. */
  readonly written: number
  readonly writtenBytes: number
  /** Blobs that are now missing in the store. */
  readonly damaged: readonly DamagedContent[]
}

/** Throws `BackupRefused`, `DatabaseTaken`, and errors of the database, the store and the file system. */
export async function runRestore(deps: RestoreDeps, options: RestoreOptions): Promise<RestoreResult> {
  const state = await deps.store.readState()
  const begun = options.databaseOnly ? undefined : parseRestoreMarker(state.installation)?.snapshot
  await using source = await openBackupSource(options.place, options.snapshot ?? begun)
  const { info } = source
  // Decide first: a refused restore must create nothing, not even the lock.
  await decide(deps, info, options)
  await makeDurableFolder(dirname(deps.draft))
  await using _lock = lockDraft(deps.draft)
  await makeDraft(source, deps)
  try {
    // A large draft takes minutes, in which a registry may have been started.
    const decision = await decide(deps, info, options)
    await using store = await deps.store.open()
    if (decision === 'begin' && !options.databaseOnly) await claimStore(store, deps.database, info)
    if (decision === 'continue') await removeSegments(store)
    if (options.databaseOnly) await spareNewerBytes(store, deps)
    const written = await restoreBlobs({ ...deps, store, source }, options)
    if (decision !== 'finish') await deps.database.install(deps.draft)
    if (!options.databaseOnly) await store.writeInstallationId(info.installation)
    const { name, installation, blobs, manifests, repositories } = info
    return { snapshot: name, installation, blobs, manifests, repositories, ...written }
  } finally {
    await removeSqliteFile(deps.draft)
  }
}

/**
 * Marks the store, so that no registry starts on it. A registry that was started after the decision writes its row before it
 * reads the store's id: either its row is visible here and the store is given back to it, or it sees the marker.
 */
async function claimStore(
  store: BlobStore,
  database: RestoreDatabase,
  { name, installation }: SnapshotInfo,
): Promise<void> {
  await store.writeInstallationId(formatRestoreMarker({ snapshot: name, installation }))
  const found = await database.readState()
  if (found.isEmpty) return
  if (found.installation !== undefined) await store.writeInstallationId(found.installation)
  throw new DatabaseTaken(
    'a registry was started on this database while the restore began, so the restore left both unchanged; stop the registry, move its database and its store away, and run the same restore again',
  )
}

/**
 * Two restores at once would share the draft, and the second would mistake the first one's segments for those of a killed run.
 */
function lockDraft(draft: string): AsyncDisposable {
  const lock = lockFile(`${draft}-lock`)
  if (lock !== undefined) return lock
  throw new BackupRefused(
    `another restore into this data folder is running (it holds ${draft}-lock); wait until it ends`,
  )
}

async function decide(
  { database, store }: RestoreDeps,
  snapshot: SnapshotInfo,
  { databaseOnly }: RestoreOptions,
): Promise<RestoreDecision> {
  return decideRestore({
    snapshot,
    database: { ...(await database.readState()), place: database.place },
    store: await store.readState(),
    databaseOnly,
  })
}

async function makeDraft(source: BackupSource, { draft, clock }: RestoreDeps): Promise<void> {
  await removeSqliteFile(draft)
  const digest = await source.copyMetadata(draft)
  if (digest !== source.info.metadata.digest) {
    await removeSqliteFile(draft)
    throw new BackupRefused(
      `${source.locate('metadata')} is damaged: its digest is ${digest} instead of ${source.info.metadata.digest}; use another snapshot or another backup`,
    )
  }
  await prepareDraft(draft, clock)
}

/** The clock of a machine that was just set up may be behind: bytes that are newer than the snapshot must not be judged. */
async function spareNewerBytes(store: BlobStore, { draft, clock }: RestoreDeps): Promise<void> {
  const now = clock.now()
  const since = await findJudgementStart(store, now)
  if (since > now) await setDraftJudgesSince(draft, since, clock)
}

/** Removes uncommitted segments of a killed run. No other process uses the store now. */
async function removeSegments(store: BlobStore): Promise<void> {
  const keys: string[] = []
  for await (const { key, digest } of store.list()) if (digest === undefined) keys.push(key)
  for (const key of keys) await store.delete(key, undefined)
}

interface RestoreParts extends Pick<RestoreDeps, 'draft' | 'onProgress'> {
  readonly store: BlobStore
  readonly source: BackupSource
}

type Written = Pick<RestoreResult, 'written' | 'writtenBytes' | 'damaged'>

/** Keeps a blob that the store already has under its key and with its size. */
async function restoreBlobs(parts: RestoreParts, { skipDamaged }: RestoreOptions): Promise<Written> {
  const { draft, source, store, onProgress } = parts
  using snapshot = new SnapshotFile(draft)
  const total = snapshot.count().blobs
  const damaged: DamagedContent[] = []
  const counts = { seen: 0, written: 0, writtenBytes: 0 }
  await forEachAtOnce(snapshot.listBlobs(), source.blobsAtOnce, async (blob) => {
    try {
      if (!(await holdsBlob(store, blob))) {
        await writeBlob({ store, source }, blob)
        counts.written += 1
        counts.writtenBytes += blob.size
      }
    } catch (error) {
      if (!(error instanceof BlobDamaged)) throw error
      const { digest } = blob
      damaged.push({ digest, reason: error.message, ...snapshot.findAffected(digest) })
    }
    counts.seen += 1
    onProgress(`${counts.seen} of ${total} blobs, ${counts.writtenBytes} bytes written`)
  })
  if (damaged.length > 0 && !skipDamaged) throw new DamagedBackup(damaged)
  return { written: counts.written, writtenBytes: counts.writtenBytes, damaged }
}

/** The most digests that a message names. */
const mostDigests = 10

/** The intact blobs are in the store; the database is not restored. */
export class DamagedBackup extends Error {
  override readonly name = 'DamagedBackup'
  readonly damaged: readonly DamagedContent[]
  constructor(damaged: readonly DamagedContent[]) {
    const named = damaged.slice(0, mostDigests).map(({ digest }) => digest)
    const rest = damaged.length - named.length
    super(
      `${formatCount(damaged.length, 'blob')} of the backup ${damaged.length === 1 ? 'is' : 'are'} damaged (${named.join(', ')}${rest === 0 ? '' : ` and ${rest} more`}). lading backup verify names the images that need them. Repair the backup and run the same restore again, or restore everything else with --skip-damaged`,
    )
    this.damaged = damaged
  }
}

async function holdsBlob(store: BlobStore, { digest, storageKey, size }: SnapshotBlob): Promise<boolean> {
  try {
    await using reader = await store.open({ key: storageKey, digest })
    return reader.size === size
  } catch (error) {
    if (error instanceof BlobMissing) return false
    throw error
  }
}

/** Each run picks a random generation below this, so that two restores at once do not write into the same file. */
const mostGenerations = 2 ** 31

async function writeBlob(
  { store, source }: { store: BlobStore; source: BackupSource },
  { digest, storageKey: key, size }: SnapshotBlob,
): Promise<void> {
  const found = await source.findBlob(digest)
  if (found === undefined) throw new BlobDamaged('missing', `${source.locate(digest)} is missing`)
  if (found.size !== size) {
    throw new BlobDamaged('size', `${source.locate(digest)} has ${found.size} bytes instead of ${size}`)
  }
  const generation = randomInt(1, mostGenerations)
  if (await writeSegment(store, { key, generation, digest, size }, found)) {
    await store.commit({ key, digest }, { segments: [{ generation, size }], generation })
    return
  }
  await store.delete(key, undefined)
  throw new BlobDamaged('digest', `${source.locate(digest)} has another digest`)
}

/** Returns whether the bytes have the digest. Closes the writer before that, so that a commit can rename its file. */
async function writeSegment(
  store: BlobStore,
  segment: { key: string; generation: number; digest: Digest; size: number },
  found: BackupBlob,
): Promise<boolean> {
  const { key, generation, digest, size } = segment
  await using writer = await store.openSegment(key, { generation, offset: 0 })
  const hashing = new HashingSink(digest, writer)
  await found.copyTo(hashing)
  if (hashing.bytes !== size || !hashing.isRight()) return false
  await writer.sync({ beforeCommit: true })
  return true
}
