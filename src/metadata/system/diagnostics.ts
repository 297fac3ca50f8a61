/** What `lading doctor` asks of a database that answers. Changes nothing. */
import { sql } from 'kysely'
import type { Reader } from '../handles.ts'
import { databaseOf } from '../sql/database.ts'

/** More says nothing new. */
const maxFaults = 5

/** Faults in the structure of the file; PostgreSQL looks after its own. Reads the whole database. */
export async function findFaults(db: Reader): Promise<readonly string[]> {
  const { dialect, kysely } = databaseOf(db)
  if (dialect === 'postgres') return []
  const { rows } = await sql<{ quick_check: string }>`pragma quick_check(${sql.lit(maxFaults)})`.execute(
    kysely,
  )
  return rows.map((row) => row.quick_check).filter((line) => line !== 'ok')
}

/** The clock of the database's machine, in milliseconds; `undefined` when it is this one. */
export async function readDatabaseTime(db: Reader): Promise<number | undefined> {
  const { dialect, kysely } = databaseOf(db)
  if (dialect === 'sqlite') return undefined
  const { rows } = await sql<{ ms: number }>`
    select cast(extract(epoch from clock_timestamp()) * 1000 as bigint) as ms`.execute(kysely)
  return rows[0]?.ms
}
