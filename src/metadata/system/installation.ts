/** The identity of this installation, and which bytes of its blob store this database may judge. */
import type { Reader, Transaction } from '../handles.ts'
import { kyselyOf } from '../sql/database.ts'

/** Stores the id unless there is one; returns the stored one. A new database judges what the store receives from now on. */
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

/** `undefined` before the first start. */
export async function findInstallation(db: Reader): Promise<string | undefined> {
  const row = await kyselyOf(db)
    .selectFrom('installation')
    .select('id')
    .where('singleton', '=', 1)
    .executeTakeFirst()
  return row?.id
}

/** Which bytes a database can call unknown because no row names them. Times in milliseconds since the epoch. */
export interface StoreJudgement {
  /** Bytes that are older may belong to rows that this database never had. */
  readonly judgesSince: number
  /** Until then an operator has declared all bytes of the store to be known to this database. */
  readonly acceptedAt: number | undefined
}

/** `undefined` before the first start: then the database can judge nothing. */
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
 * For a database that is restored, or takes over another store: it no longer judges what is older than `since`. Withdraws
 * what an operator has accepted before.
 */
export async function setJudgesSince(tx: Transaction, since: number): Promise<void> {
  await kyselyOf(tx)
    .updateTable('installation')
    .set({ judges_since: since, accepted_at: null })
    .where('singleton', '=', 1)
    .execute()
}

/**
 * The word of an operator: bytes that no row names and that are not younger than `now` are unwanted, however old and
 * however many they are. Returns the id of the installation, `undefined` before the first start.
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
