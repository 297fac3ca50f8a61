/**
 * Upload sessions. A session belongs to its repository and principal, and has one stable URL and one writer at a time. All of its
 * state is in its row and the store, so any process can continue it at any time.
 */
import { UploadMissing } from '../../blob-store/errors.ts'
import {
  claimUpload,
  deleteUpload,
  findUpload,
  insertUpload,
  recordUpload,
} from '../../metadata/content/uploads.ts'
import type { UploadRow } from '../../metadata/content/uploads.ts'
import { findLinkedBlob } from '../../metadata/content/blobs.ts'
import { insertDeadKey, insertUnusedKey } from '../../metadata/content/dead-keys.ts'
import type { Transaction } from '../../metadata/handles.ts'
import { algorithmOf } from '../../oci/digest.ts'
import type { Digest } from '../../oci/digest.ts'
import { OciError } from '../../oci/oci-error.ts'
import { principalId } from '../../identity/principal.ts'
import {
  ChunkLengthError,
  PushDeniedError,
  TooManyUploadsError,
  UploadOutOfOrderError,
  UploadUnknownError,
} from '../errors.ts'
import { chooseHasher } from './choose-hasher.ts'
import { finishSession } from './finish-session.ts'
import { HolderLines, LineTooLong } from './holder-lines.ts'
import { ingest, recordEveryMs as defaultRecordEveryMs, type Received } from './ingest.ts'
import { RecordTurns } from './record-turns.ts'
import { Reservations } from './reservations.ts'
import { holderOf, makeRoom } from './session-ceiling.ts'
import { LetGo, SessionLocks, type SessionLock } from './session-locks.ts'
import type { AppendRequest, BodyRequest, CommitRequest, CommittedBlob, PushRequest } from './upload-types.ts'
import type { SessionRequest, StartRequest, UploadDeps, Uploads, UploadStatus } from './upload-types.ts'

/** Leaves two of the four file-system threads free for other work. */
const recordsAtOnce = 2
/** A push in one request cannot be resumed: it is recorded only so that it does not expire. */
const keepAliveMs = 30_000

interface Context extends UploadDeps {
  readonly recordTurns: RecordTurns
  readonly locks: SessionLocks
  readonly reservations: Reservations
  readonly holderLines: HolderLines
}

export function createUploads(deps: UploadDeps): Uploads {
  const locks = new SessionLocks({ deadlineMs: deps.takeoverMs })
  const recordTurns = new RecordTurns(recordsAtOnce)
  const reservations = new Reservations(deps.ids.requestId())
  const holderLines = new HolderLines()
  const context: Context = { ...deps, locks, recordTurns, reservations, holderLines }
  return {
    start: (request) => start(context, request),
    status: (request) => status(context, request),
    append: (request) => append(context, request),
    commit: (request) => commit(context, request),
    push: (request) => push(context, request),
    cancel: (request) => cancel(context, request),
  }
}

/** Starts a session without waiting for the disk: a client that loses an empty session in a power cut has lost nothing. */
async function start(context: Context, request: StartRequest): Promise<UploadStatus> {
  const { ids, metadata, reservations, holderLines } = context
  const holder = holderOf(request.caller)
  const insertOne = async (): Promise<UploadStatus> => {
    const row = { ...newRow(context, request), holder }
    const writer = `${reservations.prefix}${ids.requestId()}`
    const insert = async (tx: Transaction): Promise<boolean> => {
      const isReserved = await makeRoom(context, tx, holder)
      await insertUpload(tx, { ...row, writer: isReserved ? writer : undefined })
      return isReserved
    }
    if (await metadata.transact(insert, { durable: false })) reservations.add(row.id, writer)
    return { id: row.id, offset: 0 }
  }
  try {
    return await holderLines.run(holder, insertOne)
  } catch (error) {
    if (!(error instanceof LineTooLong)) throw error
    throw new TooManyUploadsError({ limit: context.maxSessions, retryAfterSeconds: 1 }, { cause: error })
  }
}

function newRow(context: Context, request: StartRequest): UploadRow {
  const now = context.clock.now()
  const { algorithm } = request
  return {
    id: context.ids.uploadId(),
    repository: request.repository,
    principal: principalId(request.caller.principal),
    holder: undefined,
    storageKey: context.ids.storageKey(),
    generation: 0,
    writer: undefined,
    segments: [],
    offset: 0,
    hash: algorithm && { algorithm, offset: 0, digest: undefined, state: undefined },
    createdAt: now,
    touchedAt: now,
  }
}

/** Returns the session; one of another repository or principal is reported as unknown, like one that never existed (B3). */
async function getSession(context: Context, request: SessionRequest): Promise<UploadRow> {
  const row = await findUpload(context.metadata.reader, request.id)
  const owned =
    row?.repository === request.repository && row.principal === principalId(request.caller.principal)
  if (row === undefined || !owned) throw new UploadUnknownError(request.repository, request.id)
  return row
}

/**
 * Ends the session's writer before answering, here or, with a claim on the row, in another process. A client that asks for the
 * offset has lost its PATCH, whose last bytes may still be in a socket buffer. Nothing may be added after the offset in the
 * answer, because the client continues from there, usually without Content-Range.
 */
async function status(context: Context, request: SessionRequest): Promise<UploadStatus> {
  await getSession(context, request)
  using _lock = await context.locks.acquire(request.id)
  const row = await getSession(context, request)
  const { id, offset } = row
  if (row.writer === undefined || context.reservations.holds(row)) return { id, offset }
  const claimed = await claim(context, request)
  await release(context, claimed)
  return { id, offset: claimed.row.offset }
}

interface Claim {
  readonly row: UploadRow
  readonly writer: string
}

/** Claims the session without waiting for the disk: a claim lost in a power cut is harmless, because every writer is gone too. */
async function claim(context: Context, request: SessionRequest): Promise<Claim> {
  const writer = context.ids.requestId()
  const options = { id: request.id, writer, now: context.clock.now() }
  const row = await context.metadata.transact((tx) => claimUpload(tx, options), { durable: false })
  if (row === undefined) throw new UploadUnknownError(request.repository, request.id)
  return { row, writer }
}

/** Releases an untouched session, so that the next writer continues in the same segment. */
async function release(context: Context, { row, writer }: Claim): Promise<void> {
  const { id, generation, segments, offset, hash } = row
  const record = { id, writer, generation, segments, offset, hash, release: true, now: context.clock.now() }
  await context.metadata.transact((tx) => recordUpload(tx, record), { durable: false })
}

/**
 * Claims the session for this request. A chunk that is out of order or has the wrong length is refused before anything is changed
 * or read.
 */
async function claimAt(
  context: Context,
  request: SessionRequest & Partial<Pick<BodyRequest, 'start' | 'length' | 'contentLength'>>,
  found: UploadRow,
): Promise<Claim> {
  const reserved = context.reservations.take(found, context.clock.now())
  const claimed = reserved === undefined ? await claim(context, request) : { row: found, writer: reserved }
  const refusal = refuseChunk(request, claimed.row.offset)
  if (refusal === undefined) return claimed
  await release(context, claimed)
  throw refusal
}

/** Checks the start of the chunk first: a client that has lost its position receives the current offset. */
function refuseChunk(
  {
    id,
    start,
    length,
    contentLength,
  }: Pick<SessionRequest, 'id'> & Partial<Pick<BodyRequest, 'start' | 'length' | 'contentLength'>>,
  offset: number,
): OciError | undefined {
  if (start === undefined) return undefined
  if (start !== offset) return new UploadOutOfOrderError(id, offset)
  if (length === undefined || contentLength === undefined || contentLength === length) return undefined
  return new ChunkLengthError({ start, length, contentLength })
}

async function append(context: Context, request: AppendRequest): Promise<UploadStatus> {
  const found = await getSession(context, request)
  using lock = await context.locks.acquire(request.id)
  const claimed = await claimAt(context, request, found)
  const received = await receive(context, { claimed, lock, request, wanted: undefined })
  const { row, writer } = claimed
  const record = { id: row.id, writer, generation: row.generation, ...received }
  const now = context.clock.now()
  const ours = await context.metadata.transact((tx) => recordUpload(tx, { ...record, release: true, now }))
  if (!ours) throw new UploadUnknownError(request.repository, request.id)
  return { id: row.id, offset: received.offset }
}

async function receive(
  context: Context,
  options: {
    claimed: Claim
    lock: SessionLock
    request: BodyRequest
    wanted: CommitRequest['digest'] | undefined
    recordEveryMs?: number
  },
): Promise<Received> {
  const { claimed, lock, request, wanted, recordEveryMs = defaultRecordEveryMs } = options
  const { body, length, signal } = request
  const choice = {
    saved: claimed.row.hash,
    offset: claimed.row.offset,
    wanted: wanted && algorithmOf(wanted),
    chunked: request.start !== undefined && wanted === undefined,
    length,
  }
  const hasher = await chooseHasher(choice, context.hashThreads)
  try {
    return await ingest(context, {
      ...claimed,
      lock,
      hasher,
      body,
      length,
      signal,
      recordEveryMs,
      isLast: wanted !== undefined,
    })
  } catch (error) {
    throw await explainLoss(context, claimed.row, error)
  }
}

/** Returns the error of a request that lost its session to another; it includes the current offset of the session. */
async function explainLoss(context: Context, row: UploadRow, error: unknown): Promise<unknown> {
  if (error instanceof UploadMissing) return new UploadUnknownError(row.repository, row.id, { cause: error })
  if (!(error instanceof LetGo)) return error
  const now = await findUpload(context.metadata.reader, row.id)
  if (now === undefined) return new UploadUnknownError(row.repository, row.id, { cause: error })
  return new UploadOutOfOrderError(row.id, now.offset, { cause: error })
}

/**
 * Commits the session. A client that lost the answer repeats the closing PUT: the session is then unknown, but the blob exists.
 */
async function commit(context: Context, request: CommitRequest): Promise<CommittedBlob> {
  try {
    return await commitSession(context, request)
  } catch (error) {
    const done = error instanceof UploadUnknownError ? await findCommitted(context, request) : undefined
    if (done === undefined) throw error
    return done
  }
}

/**
 * Looks only in the repository of the request, where the caller may push. The first request may still be waiting for the disk.
 */
async function findCommitted(
  { health, metadata }: Context,
  { repository, digest }: CommitRequest,
): Promise<CommittedBlob | undefined> {
  const linked = await health.inspect(() => findLinkedBlob(metadata.reader, repository, digest))
  if (linked?.isIntact !== true) return undefined
  await metadata.flush()
  return { digest, size: linked.location.size }
}

async function commitSession(context: Context, request: CommitRequest): Promise<CommittedBlob> {
  const found = await getSession(context, request)
  using lock = await context.locks.acquire(request.id)
  const claimed = await claimAt(context, request, found)
  const { digest, body } = request
  const received =
    body === undefined
      ? claimed.row
      : await receive(context, { claimed, lock, request: { ...request, body }, wanted: digest })
  try {
    return await finishSession(context, { ...claimed, received, digest, caller: request.caller })
  } catch (error) {
    const { row } = claimed
    if (error instanceof UploadUnknownError) await markKeyDead(context, row, digest).catch(() => undefined)
    // The bytes may already be stored under the digest, which the job that expires the session would not know.
    if (error instanceof PushDeniedError) await end(context, row.id, digest).catch(() => undefined)
    if (!(error instanceof OciError)) await keepForRetry(context, claimed, received)
    throw await explainLoss(context, claimed.row, error)
  }
}

/**
 * Releases the session after a failure of the store or the database: it keeps the bytes it received, so that the client may
 * repeat its PUT.
 */
async function keepForRetry(context: Context, { row, writer }: Claim, received: Received): Promise<void> {
  const { segments, offset, hash } = received
  const record = { id: row.id, writer, generation: row.generation, segments, offset, hash, release: true }
  const now = context.clock.now()
  await context.metadata.transact((tx) => recordUpload(tx, { ...record, now })).catch(() => undefined)
}

async function push(context: Context, request: PushRequest): Promise<CommittedBlob> {
  const writer = context.ids.requestId()
  const row = { ...newRow(context, request), writer }
  const claimed = { row, writer }
  await context.metadata.transact((tx) => insertUpload(tx, row), { durable: false })
  try {
    using lock = await context.locks.acquire(row.id)
    const received = await receive(context, {
      claimed,
      lock,
      request,
      wanted: request.digest,
      recordEveryMs: keepAliveMs,
    })
    const { digest, caller } = request
    return await finishSession(context, { ...claimed, received, digest, caller })
  } catch (error) {
    // Report the original error to the client; a session that cannot be ended now expires later.
    await abandon(context, row, request.digest).catch(() => undefined)
    throw error
  }
}

/**
 * Truncates the bytes first, which only this request knows: on a full disk there would otherwise be no space to record the end of
 * the session or the lease of the job that deletes.
 */
async function abandon(context: Context, row: UploadRow, digest: Digest): Promise<void> {
  const { id, storageKey, generation } = row
  {
    await using _cut = await context.store.openSegment(storageKey, { generation, offset: 0 })
  }
  if (!(await end(context, id, digest))) await markKeyDead(context, row, digest)
}

/**
 * Makes the key a dead key with its digest: the session ended while its bytes were being committed, and the request that ended it
 * did not know that they are stored under the digest. Leaves the key alone if a request took over the session or created the
 * blob.
 */
async function markKeyDead(
  { metadata, clock, onDeadKey }: Context,
  { storageKey }: UploadRow,
  digest: Digest,
): Promise<void> {
  const entry = { storageKey, digest, since: clock.now() }
  if (await metadata.transact((tx) => insertUnusedKey(tx, entry))) onDeadKey()
}

/**
 * Ends a session whose bytes are not needed: the row is removed first, the bytes later, and the sweep finds bytes that a crash
 * left. `digest` is given if the bytes may already be stored under it without a row.
 */
async function end(context: Context, id: string, digest?: Digest): Promise<boolean> {
  const row = await context.metadata.transact(async (tx) => {
    const deleted = await deleteUpload(tx, id)
    if (deleted === undefined) return undefined
    await insertDeadKey(tx, { storageKey: deleted.storageKey, digest, since: context.clock.now() })
    return deleted
  })
  if (row !== undefined) context.onDeadKey()
  return row !== undefined
}

async function cancel(context: Context, request: SessionRequest): Promise<void> {
  await getSession(context, request)
  using _lock = await context.locks.acquire(request.id)
  context.reservations.forget(request.id)
  if (!(await end(context, request.id))) throw new UploadUnknownError(request.repository, request.id)
}
