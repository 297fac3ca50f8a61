/** The checks that `lading doctor` runs on a reachable database. They change nothing. */
import { sql } from 'kysely'
import type { Reader } from '../handles.ts'
import { databaseOf } from '../sql/database.ts'

/** More faults add no information. */
const maxFaults = 5

/** Finds faults in the structure of the file. PostgreSQL checks its own structure. Reads the whole database. */
export async function findFaults(db: Reader): Promise<readonly string[]> {
  const { dialect, kysely } = databaseOf(db)
  if (dialect === 'postgres') return []
  const { rows } = await sql<{ quick_check: string }>`pragma quick_check(${sql.lit(maxFaults)})`.execute(
    kysely,
  )
  return rows.map((row) => row.quick_check).filter((line) => line !== 'ok')
}

/** Returns the time on the database's machine, in milliseconds; `undefined` if it is this machine. */
export async function readDatabaseTime(db: Reader): Promise<number | undefined> {
  const { dialect, kysely } = databaseOf(db)
  if (dialect === 'sqlite') return undefined
  const { rows } = await sql<{ ms: number }>`
    select cast(extract(epoch from clock_timestamp()) * 1000 as bigint) as ms`.execute(kysely)
  return rows[0]?.ms
}
