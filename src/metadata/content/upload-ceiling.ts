/**
 * Counts the upload sessions that a holder has open, and finds those that nobody uses, for the ceiling of open sessions. A
 * holder is a principal, or an address of anonymous clients.
 */
import { sql } from 'kysely'
import { insertDeadKey } from './dead-keys.ts'
import type { Reader, Transaction } from '../handles.ts'
import { compileOnce } from '../sql/compile-once.ts'
import { databaseOf, hasRowLocks, kyselyOf } from '../sql/database.ts'
import type { UploadRow } from './uploads.ts'

/** How long an upload session lives after it was last touched, in milliseconds. */
export interface UploadLives {
  readonly withBytesMs: number
  /** The life of a session that holds no byte, which its client has probably forgotten. */
  readonly emptyMs: number
}

export interface HeldUpload extends Pick<UploadRow, 'id' | 'storageKey' | 'writer' | 'offset'> {
  readonly createdAt: number
  readonly touchedAt: number
}

interface HeldRow {
  id: string
  storage_key: string
  writer: string | null
  byte_offset: number
  created_at: number
  touched_at: number
}

const uploadCount = compileOnce<{ holder: string }, { count: number }>(({ kysely, parameter }) =>
  kysely
    .selectFrom('upload')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('holder', '=', parameter('holder')),
)

/** Returns how many sessions count against a holder. */
export async function countUploads(db: Reader, holder: string): Promise<number> {
  const row = await uploadCount.first(db, { holder })
  return row?.count ?? 0
}

// The first of two numbers of an advisory lock: no other use in the same database should pick it.
const ceilingLock = 1_730_552_184

/**
 * Lets one transaction at a time count and insert sessions of a holder. Returns whether it may have waited, so that a
 * count from before is out of date: SQLite has one writer anyway.
 */
export async function lockHolder(tx: Transaction, holder: string): Promise<boolean> {
  if (!hasRowLocks(tx)) return false
  const { kysely } = databaseOf(tx)
  await sql`select pg_advisory_xact_lock(${sql.lit(ceilingLock)}::int, hashtext(${holder}))`.execute(kysely)
  return true
}

/**
 * Returns the sessions of a holder that may have been forgotten, the oldest first: those past their life, and those
 * that hold no byte and have no writer, or one whose name starts with `reservedPrefix`. `after` is the last session of
 * the page before.
 */
export async function listForgottenUploads(
  db: Reader,
  options: {
    readonly holder: string
    readonly lives: UploadLives
    readonly now: number
    readonly reservedPrefix: string
    readonly after?: HeldUpload | undefined
    readonly limit: number
  },
): Promise<HeldUpload[]> {
  const { holder, lives, now, reservedPrefix, after, limit } = options
  let query = kyselyOf(db)
    .selectFrom('upload')
    .select(['id', 'storage_key', 'writer', 'byte_offset', 'created_at', 'touched_at'])
    .where('holder', '=', holder)
    .where((eb) =>
      eb.or([
        eb('touched_at', '<', now - lives.withBytesMs),
        eb.and([
          eb('byte_offset', '=', 0),
          eb.or([
            eb('writer', 'is', null),
            eb('writer', 'like', `${reservedPrefix}%`),
            eb('touched_at', '<', now - lives.emptyMs),
          ]),
        ]),
      ]),
    )
  if (after !== undefined) {
    const { createdAt, id } = after
    query = query.where((eb) =>
      eb.or([
        eb('created_at', '>', createdAt),
        eb.and([eb('created_at', '=', createdAt), eb('id', '>', id)]),
      ]),
    )
  }
  const rows: HeldRow[] = await query.orderBy('created_at').orderBy('id').limit(limit).execute()
  return rows.map(heldOf)
}

/**
 * Ends a session if it still is as it was `seen`, and makes its key a dead one. `false` when it was claimed, written to
 * or ended meanwhile.
 */
export async function endUnchangedUpload(tx: Transaction, seen: HeldUpload, now: number): Promise<boolean> {
  const row = await kyselyOf(tx)
    .deleteFrom('upload')
    .where('id', '=', seen.id)
    .where('byte_offset', '=', seen.offset)
    .where('touched_at', '=', seen.touchedAt)
    .where('writer', 'is not distinct from', seen.writer ?? null)
    .returning('id')
    .executeTakeFirst()
  if (row === undefined) return false
  await insertDeadKey(tx, { storageKey: seen.storageKey, digest: undefined, since: now })
  return true
}

/** Returns when the first session of a holder ends by itself if nobody touches it; `undefined` when it has none. */
export async function findNextUploadExpiry(
  db: Reader,
  holder: string,
  lives: UploadLives,
): Promise<number | undefined> {
  const row = await kyselyOf(db)
    .selectFrom('upload')
    .select(({ fn, eb }) => [
      fn.min(eb.case().when('byte_offset', '=', 0).then(eb.ref('touched_at')).end()).as('empty'),
      fn.min(eb.case().when('byte_offset', '>', 0).then(eb.ref('touched_at')).end()).as('filled'),
    ])
    .where('holder', '=', holder)
    .executeTakeFirstOrThrow()
  const ends = [
    ...(row.empty === null ? [] : [row.empty + lives.emptyMs]),
    ...(row.filled === null ? [] : [row.filled + lives.withBytesMs]),
  ]
  return ends.length === 0 ? undefined : Math.min(...ends)
}

function heldOf(row: HeldRow): HeldUpload {
  return {
    id: row.id,
    storageKey: row.storage_key,
    writer: row.writer ?? undefined,
    offset: row.byte_offset,
    createdAt: row.created_at,
    touchedAt: row.touched_at,
  }
}
