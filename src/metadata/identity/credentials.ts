/** Code that the tables of credentials share: each row belongs to an account and has the time of its last use. */
import { sql } from 'kysely'
import type { Reader, Transaction } from '../handles.ts'
import { kyselyOf } from '../sql/database.ts'
import { eachInTurns } from '../sql/pause.ts'

export interface Used {
  readonly id: number
  readonly usedAt: number
  /** Whether it has expired. */
  readonly isOver: boolean
}

/** Returns the name of the row's account, or `undefined` if the row does not exist. */
export async function findCredentialHolder(
  db: Reader,
  table: 'browser_session' | 'refresh_token',
  id: number,
): Promise<string | undefined> {
  const kysely = kyselyOf(db)
  const holder = kysely.selectFrom(table).select('account_id').where('id', '=', id)
  const row = await kysely.selectFrom('account').select('name').where('id', '=', holder).executeTakeFirst()
  return row?.name
}

/**
 * Sets the time of use for each id. A row whose use was recorded after `before` is not changed, unless its time is in the future.
 */
export function noteUses(
  tx: Transaction,
  table: 'access_token' | 'browser_session',
  { uses, before }: { readonly uses: ReadonlyMap<number, number>; readonly before: number },
): Promise<void> {
  return eachInTurns(tx, { items: uses, rowsPerItem: 1 }, ([id, at]) =>
    sql`update ${sql.table(table)} set used_at = ${at}
      where id = ${id} and (used_at is null or used_at <= ${before} or used_at > ${at})`.execute(
      kyselyOf(tx),
    ),
  )
}

/**
 * Deletes the rows of an account except for the `keep` most recently used ones. Rows in use stay, however old they are:
 * `newest` is always kept, and expired rows are deleted first.
 */
export async function deleteLeastUsed(
  tx: Transaction,
  table: 'browser_session' | 'refresh_token',
  { all, keep, newest }: { readonly all: readonly Used[]; readonly keep: number; readonly newest: number },
): Promise<void> {
  const rank = (one: Used): number => {
    if (one.id === newest) return 0
    return one.isOver ? 2 : 1
  }
  const kept = all.toSorted((a, b) => rank(a) - rank(b) || b.usedAt - a.usedAt || b.id - a.id)
  for (const { id } of kept.slice(keep)) await kyselyOf(tx).deleteFrom(table).where('id', '=', id).execute()
}
