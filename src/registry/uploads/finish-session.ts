/**
 * Turns the received bytes of a session into a blob of its repository: checks the digest, makes the bytes durable, then creates
 * the blob and its link and ends the session in one transaction. A crash in between leaves bytes without a row, which the sweep
 * finds, but never a row without bytes.
 */
import type { BlobStore } from '../../blob-store/blob-store.ts'
import { createHash, type Hash } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import type { AuditTrail } from '../../metadata/audit/audit-trail.ts'
import { findBlob, insertBlob, linkBlob, pinBlob, replaceBlob } from '../../metadata/content/blobs.ts'
import type { BlobLocation } from '../../metadata/content/blobs.ts'
import { insertDeadKey } from '../../metadata/content/dead-keys.ts'
import type { Transaction } from '../../metadata/handles.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import { finishUpload, type UploadRow } from '../../metadata/content/uploads.ts'
import { algorithmOf, digestBytes, formatDigest, type Digest } from '../../oci/digest.ts'
import type { BlobHealth } from '../blob-health.ts'
import type { Caller, RegistryPolicy } from '../caller.ts'
import { DigestMismatchError, UploadUnknownError } from '../errors.ts'
import { openRepository } from '../push-rights.ts'
import { recordChanges } from '../record-changes.ts'
import type { Received } from './ingest.ts'
import type { CommittedBlob } from './upload-types.ts'

export interface FinishDeps {
  readonly health: BlobHealth
  readonly metadata: Metadata
  readonly store: BlobStore
  readonly clock: Clock
  readonly policy: RegistryPolicy
  readonly audit: AuditTrail
  readonly onDeadKey: () => void
}

interface Finish {
  readonly row: UploadRow
  readonly writer: string
  readonly received: Received
  readonly digest: Digest
  readonly caller: Caller
}

export async function finishSession(deps: FinishDeps, finish: Finish): Promise<CommittedBlob> {
  const { digest, received } = finish
  const size = received.offset
  const known = await knownDigest(deps, finish)
  if (known !== undefined && known !== digest) throw await mismatch(deps, finish, known)
  const existing = await deps.health.inspect(() => findBlob(deps.metadata.reader, digest))
  if (known !== undefined && existing?.isIntact === true) {
    if (await linkExisting(deps, finish)) return { digest, size }
  }
  await storeBlob(deps, finish)
  await linkStored(deps, finish, existing?.isIntact === false ? existing.location : undefined)
  deps.health.noteIntact(digest)
  return { digest, size }
}

/**
 * Returns the digest of the session's bytes in the requested algorithm. The bytes were hashed on arrival or are read again here.
 * Returns `undefined` if the store must copy them anyway: then the copy is hashed.
 */
async function knownDigest(deps: FinishDeps, finish: Finish): Promise<Digest | undefined> {
  const { row, received, digest } = finish
  const algorithm = algorithmOf(digest)
  const { hash, offset, segments } = received
  if (offset === 0) return digestBytes(new Uint8Array(), algorithm)
  if (hash?.digest !== undefined && hash.offset === offset && hash.algorithm === algorithm) return hash.digest
  if (segments.length > 1 || segments[0]?.generation !== row.generation) return undefined
  const hasher = createHash(algorithm)
  await deps.store.readSegments(row.storageKey, segments, {
    write: async (bytes) => void hasher.update(bytes),
  })
  return formatDigest(algorithm, hasher.digest('hex'))
}

/** Ends a session whose content has the wrong digest: its bytes are useless. */
async function mismatch(deps: FinishDeps, finish: Finish, actual: Digest): Promise<DigestMismatchError> {
  const { digest, received } = finish
  const ended = await deps.metadata.transact((tx) => endSession(deps, tx, finish))
  if (ended) deps.onDeadKey()
  return new DigestMismatchError({ expected: digest, actual, size: received.offset })
}

/** Copied bytes are always hashed, even if their digest is known: another writer had the file open. */
async function storeBlob(deps: FinishDeps, finish: Finish): Promise<void> {
  const { row, digest } = finish
  const { segments } = finish.received
  const { generation, storageKey: key } = row
  try {
    await deps.store.commit({ key, digest }, { segments, generation, onBytes: checkingHasher(finish) })
  } catch (error) {
    if (error instanceof DigestMismatchError) throw await mismatch(deps, finish, error.detail.actual)
    throw error
  }
}

/** Hashes the copied bytes; throws on the last one when the digest differs from the announced one, so that nothing is renamed. */
function checkingHasher({ digest, received }: Finish): (bytes: Uint8Array) => void {
  const algorithm = algorithmOf(digest)
  let hasher: Hash | undefined
  let seen = 0
  return (bytes) => {
    hasher ??= createHash(algorithm)
    hasher.update(bytes)
    seen += bytes.length
    if (seen < received.offset) return
    const actual = formatDigest(algorithm, hasher.digest('hex'))
    if (actual !== digest) throw new DigestMismatchError({ expected: digest, actual, size: received.offset })
  }
}

/** Links the bytes that the registry already has, and drops this session's. Returns `false` when they have been collected. */
async function linkExisting(deps: FinishDeps, finish: Finish): Promise<boolean> {
  const { row, digest } = finish
  const linked = await deps.metadata.transact(async (tx) => {
    if ((await pinBlob(tx, digest)) === undefined) return false
    if (!(await endSession(deps, tx, finish))) throw new UploadUnknownError(row.repository, row.id)
    await link(deps, tx, finish)
    return true
  })
  if (linked) deps.onDeadKey()
  return linked
}

/**
 * Links the stored blob. Replaces a damaged blob, unless another request has already done so; this repairs it in every repository
 * that links it.
 */
async function linkStored(
  deps: FinishDeps,
  finish: Finish,
  damaged: BlobLocation | undefined,
): Promise<void> {
  const { row, digest, received } = finish
  const leftBytes = await deps.metadata.transact(async (tx) => {
    const ours = await finishUpload(tx, { id: row.id, writer: finish.writer, generation: row.generation })
    if (!ours) throw new UploadUnknownError(row.repository, row.id)
    const now = deps.clock.now()
    const blob = { digest, storageKey: row.storageKey, size: received.offset, createdAt: now }
    const hasReplaced = damaged !== undefined && (await replaceBlob(tx, damaged, blob))
    const isLost = !hasReplaced && (await insertBlob(tx, blob)).storageKey !== row.storageKey
    if (isLost) await insertDeadKey(tx, { storageKey: row.storageKey, digest, since: now })
    await link(deps, tx, finish)
    return isLost || hasReplaced
  })
  if (leftBytes) deps.onDeadKey()
}

async function endSession(deps: FinishDeps, tx: Transaction, { row, writer }: Finish): Promise<boolean> {
  const ours = await finishUpload(tx, { id: row.id, writer, generation: row.generation })
  if (ours)
    await insertDeadKey(tx, { storageKey: row.storageKey, digest: undefined, since: deps.clock.now() })
  return ours
}

async function link(deps: FinishDeps, tx: Transaction, { row, digest, caller }: Finish): Promise<void> {
  const now = deps.clock.now()
  const name = row.repository
  const { id } = await openRepository(deps, tx, { name, caller, now })
  await linkBlob(tx, { repositoryId: id, digest, now })
  const changes = [{ kind: 'blob.push', after: digest }] as const
  await recordChanges(deps, tx, { repository: name, caller, changes })
}
