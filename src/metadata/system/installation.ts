/** The identity of this installation, and the age limits for the bytes of the blob store that this database may judge. */
import type { Reader, Transaction } from '../handles.ts'
import { kyselyOf } from '../sql/database.ts'

/**
 * Stores the id unless one exists, and returns the stored one. A new database judges only bytes that the store receives
 * from now on.
 */
export async function ensureInstallation(
  tx: Transaction,
  options: { readonly id: string; readonly now: number },
): Promise<string> {
  const kysely = kyselyOf(tx)
  await kysely
    .insertInto('installation')
    .values({ singleton: 1, id: options.id, created_at: options.now, judges_since: options.now })
    .onConflict((conflict) => conflict.column('singleton').doNothing())
    .execute()
  const row = await kysely
    .selectFrom('installation')
    .select('id')
    .where('singleton', '=', 1)
    .executeTakeFirstOrThrow()
  return row.id
}

/** Returns the installation id; `undefined` before the first start. */
export async function findInstallation(db: Reader): Promise<string | undefined> {
  const row = await kyselyOf(db)
    .selectFrom('installation')
    .select('id')
    .where('singleton', '=', 1)
    .executeTakeFirst()
  return row?.id
}

/**
 * The limits for bytes that the database may call unknown because it has no row for them. Times are in milliseconds
 * since the epoch.
 */
export interface StoreJudgement {
  /** Older bytes may belong to rows that this database never had. */
  readonly judgesSince: number
  /** The time up to which an operator has accepted the store: bytes from before it that have no row are unwanted. */
  readonly acceptedAt: number | undefined
}

/** Returns the limits; `undefined` before the first start, when the database can judge nothing. */
export async function findStoreJudgement(db: Reader): Promise<StoreJudgement | undefined> {
  const row = await kyselyOf(db)
    .selectFrom('installation')
    .select(['judges_since', 'accepted_at'])
    .where('singleton', '=', 1)
    .executeTakeFirst()
  if (row === undefined) return undefined
  return { judgesSince: row.judges_since, acceptedAt: row.accepted_at ?? undefined }
}

/**
 * Sets the time from which the database judges bytes; it no longer judges older ones. Called after a restore, or when the
 * database adopts another store. Withdraws an earlier acceptance by an operator.
 */
export async function setJudgesSince(tx: Transaction, since: number): Promise<void> {
  await kyselyOf(tx)
    .updateTable('installation')
    .set({ judges_since: since, accepted_at: null })
    .where('singleton', '=', 1)
    .execute()
}

/**
 * Records that an operator accepts the store: all bytes older than `now` without a row are unwanted, regardless of their age and
 * number. Returns the id of the installation, or `undefined` before the first start.
 */
export async function acceptStore(tx: Transaction, now: number): Promise<string | undefined> {
  const row = await kyselyOf(tx)
    .updateTable('installation')
    .set({ accepted_at: now })
    .where('singleton', '=', 1)
    .returning('id')
    .executeTakeFirst()
  return row?.id
}
