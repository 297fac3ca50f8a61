/** Which tables a query finds without the name of a schema. */
import { sql } from 'kysely'
import type { Reader } from '../handles.ts'
import { databaseOf } from './database.ts'

/** On PostgreSQL other schemas may hold tables of the same names, of another registry for instance: those are left out. */
export async function listVisibleTables(db: Reader): Promise<ReadonlySet<string>> {
  const { dialect, kysely } = databaseOf(db)
  if (dialect === 'sqlite') {
    return new Set((await kysely.introspection.getTables()).map(({ name }) => name))
  }
  const { rows } = await sql<{ name: string }>`select relname as name from pg_class
    where relkind in ('r', 'p') and pg_table_is_visible(oid)`.execute(kysely)
  return new Set(rows.map(({ name }) => name))
}
