/** Lists the tables that a query finds without a schema name. */
import { sql } from 'kysely'
import type { Reader } from '../handles.ts'
import { databaseOf } from './database.ts'

/** Leaves out tables in other PostgreSQL schemas, which may have the same names and belong to another registry. */
export async function listVisibleTables(db: Reader): Promise<ReadonlySet<string>> {
  const { dialect, kysely } = databaseOf(db)
  if (dialect === 'sqlite') {
    return new Set((await kysely.introspection.getTables()).map(({ name }) => name))
  }
  const { rows } = await sql<{ name: string }>`select relname as name from pg_class
    where relkind in ('r', 'p') and pg_table_is_visible(oid)`.execute(kysely)
  return new Set(rows.map(({ name }) => name))
}
