/**
 * Counts the open upload sessions of a holder, and finds the abandoned ones, for the ceiling of open sessions. A holder
 * is a principal, or an address of anonymous clients.
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
  /** The life of a session without a byte, which its client has probably abandoned. */
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

// The first number of an advisory lock. No other use in the same database may pick the same one.
const ceilingLock = 1_730_552_184

/**
 * Lets only one transaction at a time count and insert sessions of a holder. Returns whether it may have waited, so that
 * an earlier count is out of date. SQLite needs no lock, because it has one writer.
 */
export async function lockHolder(tx: Transaction, holder: string): Promise<boolean> {
  if (!hasRowLocks(tx)) return false
  const { kysely } = databaseOf(tx)
  await sql`select pg_advisory_xact_lock(${sql.lit(ceilingLock)}::int, hashtext(${holder}))`.execute(kysely)
  return true
}

/**
 * Returns the sessions of a holder that may be abandoned, oldest first: expired sessions, and sessions without a byte
 * that have no writer, or one whose name starts with `reservedPrefix`. `after` is the last session of the previous page.
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
 * Ends a session if it is unchanged since it was `seen`, and makes its key a dead key. Returns `false` if it was
 * claimed, written to or ended since.
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

/** Returns when the first session of a holder expires if it is not used again; `undefined` if there are none. */
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
