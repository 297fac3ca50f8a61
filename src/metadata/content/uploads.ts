/** Upload sessions: the valid bytes, the writer, and how far the bytes are hashed. One row per open session. */
import { sql, type Selectable } from 'kysely'
import type { Digest, DigestAlgorithm } from '../../oci/digest.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import { insertDeadKey } from './dead-keys.ts'
import type { Reader, Transaction } from '../handles.ts'
import type { Schema } from '../schema.ts'
import { compileOnce } from '../sql/compile-once.ts'
import type { TemplateInput } from '../sql/compile-once.ts'
import { kyselyOf } from '../sql/database.ts'
import { eachInTurns } from '../sql/pause.ts'

/** How far a session's bytes are hashed. */
export interface HashState {
  readonly algorithm: DigestAlgorithm
  /** The number of hashed bytes, from the start. */
  readonly offset: number
  /** The digest of those bytes. */
  readonly digest: Digest | undefined
  /** The saved state of a hasher after those bytes. */
  readonly state: Uint8Array | undefined
}

export interface UploadSegment {
  readonly generation: number
  readonly size: number
}

export interface UploadRow {
  readonly id: string
  readonly repository: RepositoryName
  readonly principal: string
  /** The holder whose ceiling counts the session; `undefined` for a push in one request, which no ceiling counts. */
  readonly holder: string | undefined
  readonly storageKey: string
  /**
   * Raised by each takeover; the segment of this number belongs to the writer. A writer releases a session only after
   * its last write has ended, so no other writer of the same generation can change the segment.
   */
  readonly generation: number
  readonly writer: string | undefined
  /** The segments of the valid bytes, in order. */
  readonly segments: readonly UploadSegment[]
  /** The sum of the segments' sizes. */
  readonly offset: number
  readonly hash: HashState | undefined
  readonly createdAt: number
  readonly touchedAt: number
}

/** Identifies the writer of a session and the generation that it claimed. */
interface UploadFence {
  readonly id: string
  readonly writer: string
  readonly generation: number
}

type Progress = ReturnType<typeof progressColumns>

function progressParameters(parameter: TemplateInput<Progress>['parameter']) {
  return {
    segments: parameter('segments'),
    byte_offset: parameter('byte_offset'),
    hash_algorithm: parameter('hash_algorithm'),
    hash_offset: parameter('hash_offset'),
    hash_digest: parameter('hash_digest'),
    hash_state: parameter('hash_state'),
  }
}

const uploadInsert = compileOnce<Selectable<Schema['upload']>, object>(({ kysely, parameter }) =>
  kysely.insertInto('upload').values({
    id: parameter('id'),
    repository: parameter('repository'),
    principal: parameter('principal'),
    holder: parameter('holder'),
    storage_key: parameter('storage_key'),
    generation: parameter('generation'),
    writer: parameter('writer'),
    ...progressParameters(parameter),
    created_at: parameter('created_at'),
    touched_at: parameter('touched_at'),
  }),
)

const uploadById = compileOnce<{ id: string }, Selectable<Schema['upload']>>(({ kysely, parameter }) =>
  kysely.selectFrom('upload').selectAll().where('id', '=', parameter('id')),
)

const progressUpdate = compileOnce<
  UploadFence & Progress & { next_writer: string | null; touched_at: number },
  { id: string }
>(({ kysely, parameter }) =>
  kysely
    .updateTable('upload')
    .set({
      writer: parameter('next_writer'),
      touched_at: parameter('touched_at'),
      ...progressParameters(parameter),
    })
    .where('id', '=', parameter('id'))
    .where('writer', '=', parameter('writer'))
    .where('generation', '=', parameter('generation'))
    .returning('id'),
)

const fencedDelete = compileOnce<UploadFence, { id: string }>(({ kysely, parameter }) =>
  kysely
    .deleteFrom('upload')
    .where('id', '=', parameter('id'))
    .where('writer', '=', parameter('writer'))
    .where('generation', '=', parameter('generation'))
    .returning('id'),
)

export async function insertUpload(tx: Transaction, row: UploadRow): Promise<void> {
  await uploadInsert.all(tx, {
    id: row.id,
    repository: row.repository,
    principal: row.principal,
    holder: row.holder ?? null,
    storage_key: row.storageKey,
    generation: row.generation,
    writer: row.writer ?? null,
    created_at: row.createdAt,
    touched_at: row.touchedAt,
    ...progressColumns(row),
  })
}

/** Counts the open sessions of all holders. */
export async function countAllUploads(db: Reader): Promise<number> {
  const row = await kyselyOf(db)
    .selectFrom('upload')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return row.count
}

export async function findUpload(db: Reader, id: string): Promise<UploadRow | undefined> {
  const row = await uploadById.first(db, { id })
  return row === undefined ? undefined : uploadOf(row)
}

/**
 * Makes `writer` the session's writer and returns the updated row. If another writer had it, the generation rises: the
 * bytes that the other one recorded stay valid, and later ones do not count.
 */
export async function claimUpload(
  tx: Transaction,
  options: { readonly id: string; readonly writer: string; readonly now: number },
): Promise<UploadRow | undefined> {
  const { id, writer, now } = options
  const row = await kyselyOf(tx)
    .updateTable('upload')
    .set(({ eb }) => ({
      generation: eb
        .case()
        .when(eb.and([eb('writer', 'is not', null), eb('writer', '!=', writer)]))
        .then(eb('generation', '+', 1))
        .else(eb.ref('generation'))
        .end(),
      writer,
      touched_at: now,
    }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
  return row === undefined ? undefined : uploadOf(row)
}

/** Records the session's bytes. Returns `false` if the session has ended or was taken over: then the bytes do not count. */
export async function recordUpload(
  tx: Transaction,
  options: UploadFence &
    Pick<UploadRow, 'segments' | 'offset' | 'hash'> & { readonly release: boolean; readonly now: number },
): Promise<boolean> {
  const { id, writer, generation, release, now } = options
  const rows = await progressUpdate.all(tx, {
    id,
    writer,
    generation,
    next_writer: release ? null : writer,
    touched_at: now,
    ...progressColumns(options),
  })
  return rows.length > 0
}

/** Ends the session even if it has a writer, and returns its row. */
export async function deleteUpload(tx: Transaction, id: string): Promise<UploadRow | undefined> {
  const row = await kyselyOf(tx).deleteFrom('upload').where('id', '=', id).returningAll().executeTakeFirst()
  return row === undefined ? undefined : uploadOf(row)
}

/** Ends the session only if it still belongs to this writer. */
export async function finishUpload(tx: Transaction, fence: UploadFence): Promise<boolean> {
  const rows = await fencedDelete.all(tx, fence)
  return rows.length > 0
}

/**
 * Corrects the time of sessions that were touched after `latest`, while the clock was ahead, to `now`, so that they expire like
 * other sessions. Returns the number of changed sessions, at most `limit`.
 */
export async function correctUploadTimes(
  tx: Transaction,
  { now, latest, limit }: { readonly now: number; readonly latest: number; readonly limit: number },
): Promise<number> {
  const result = await kyselyOf(tx)
    .updateTable('upload')
    .set({ touched_at: now })
    .where('id', 'in', (eb) =>
      eb.selectFrom('upload').select('id').where('touched_at', '>', latest).limit(limit),
    )
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** Selects expired sessions. */
export interface ExpiryCondition {
  readonly touchedBefore: number
  /** Only sessions without a byte. */
  readonly isEmpty?: boolean
}

/**
 * Returns the sessions that were last touched before `touchedBefore`, the longest idle first. Reads only the needed
 * columns.
 */
export async function listExpiredUploads(
  db: Reader,
  { touchedBefore, isEmpty = false, limit }: ExpiryCondition & { readonly limit: number },
): Promise<Pick<UploadRow, 'id' | 'storageKey'>[]> {
  let query = kyselyOf(db)
    .selectFrom('upload')
    .select(['id', 'storage_key'])
    .where('touched_at', '<', touchedBefore)
  // A literal: the index of empty sessions does not serve a parameter.
  if (isEmpty) query = query.where('byte_offset', '=', sql.lit(0))
  const rows = await query.orderBy('touched_at').limit(limit).execute()
  return rows.map((row) => ({ id: row.id, storageKey: row.storage_key }))
}

/** Ends the session unless it was touched again or got its first byte; returns whether it did. */
export async function deleteExpiredUpload(
  tx: Transaction,
  { id, touchedBefore, isEmpty = false }: ExpiryCondition & { readonly id: string },
): Promise<boolean> {
  let query = kyselyOf(tx).deleteFrom('upload').where('id', '=', id).where('touched_at', '<', touchedBefore)
  if (isEmpty) query = query.where('byte_offset', '=', 0)
  const row = await query.returning('id').executeTakeFirst()
  return row !== undefined
}

/** Ends the sessions that were not touched again, and makes their keys dead keys. Returns the number of ended sessions. */
export async function endExpiredUploads(
  tx: Transaction,
  expired: readonly Pick<UploadRow, 'id' | 'storageKey'>[],
  { now, ...condition }: ExpiryCondition & { readonly now: number },
): Promise<number> {
  let ended = 0
  // Two rows: the session and its dead key.
  await eachInTurns(tx, { items: expired, rowsPerItem: 2 }, async ({ id, storageKey }) => {
    if (!(await deleteExpiredUpload(tx, { id, ...condition }))) return
    await insertDeadKey(tx, { storageKey, digest: undefined, since: now })
    ended += 1
  })
  return ended
}

function progressColumns({
  segments,
  offset,
  hash,
}: Pick<UploadRow, 'segments' | 'offset' | 'hash'>): Pick<
  Selectable<Schema['upload']>,
  'segments' | 'byte_offset' | 'hash_algorithm' | 'hash_offset' | 'hash_digest' | 'hash_state'
> {
  return {
    segments: JSON.stringify(segments.map(({ generation, size }) => ({ generation, size }))),
    byte_offset: offset,
    hash_algorithm: hash?.algorithm ?? null,
    hash_offset: hash?.offset ?? null,
    hash_digest: hash?.digest ?? null,
    hash_state: hash?.state ?? null,
  }
}

function uploadOf(row: Selectable<Schema['upload']>): UploadRow {
  return {
    id: row.id,
    repository: row.repository as RepositoryName,
    principal: row.principal,
    holder: row.holder ?? undefined,
    storageKey: row.storage_key,
    generation: row.generation,
    writer: row.writer ?? undefined,
    segments: JSON.parse(row.segments) as UploadSegment[],
    offset: row.byte_offset,
    hash: hashOf(row),
    createdAt: row.created_at,
    touchedAt: row.touched_at,
  }
}

function hashOf(row: Selectable<Schema['upload']>): HashState | undefined {
  if (row.hash_algorithm === null || row.hash_offset === null) return undefined
  return {
    algorithm: row.hash_algorithm,
    offset: row.hash_offset,
    digest: (row.hash_digest ?? undefined) as Digest | undefined,
    state: row.hash_state ?? undefined,
  }
}
