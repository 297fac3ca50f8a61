/** Copies which row ids were assigned, including ids of deleted rows: no id is ever reused. */
import { sql } from 'kysely'
import type { Reader, Transaction } from '../handles.ts'
import { databaseOf, kyselyOf } from '../sql/database.ts'
import { tablesWithRowIds } from './tables.ts'

/** Copies the last row ids. Call it after the rows are copied. */
export async function copyRowIds(source: Reader, tx: Transaction): Promise<void> {
  for (const table of tablesWithRowIds) {
    const lastId = await findLastId(source, table)
    if (lastId > 0) await raiseLastId(tx, table, lastId)
  }
}

async function findLastId(source: Reader, table: string): Promise<number> {
  const { dialect, kysely } = databaseOf(source)
  const query =
    dialect === 'postgres'
      ? sql<{ last: number | null }>`select pg_sequence_last_value(${sequenceOf(table)}) as last`
      : sql<{ last: number | null }>`select max(seq) as last from sqlite_sequence where name = ${table}`
  const { rows } = await query.execute(kysely)
  return rows[0]?.last ?? 0
}

async function raiseLastId(tx: Transaction, table: string, lastId: number): Promise<void> {
  const kysely = kyselyOf(tx)
  if (databaseOf(tx).dialect === 'postgres') {
    await sql`select setval(${sequenceOf(table)}, greatest(${lastId}::bigint,
      (select max(id) from ${sql.table(table)})))`.execute(kysely)
    return
  }
  // A table that never had a row has no entry, and the names of entries are not unique.
  await sql`insert into sqlite_sequence (name, seq)
    select ${table}, 0 where not exists (select 1 from sqlite_sequence where name = ${table})`.execute(kysely)
  await sql`update sqlite_sequence set seq = max(seq, ${lastId}) where name = ${table}`.execute(kysely)
}

function sequenceOf(table: string) {
  return sql`pg_get_serial_sequence(${table}, 'id')::regclass`
}
