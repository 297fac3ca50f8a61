/** Deletes rows in batches: either one bounded statement, or as many as needed with pauses for other requests in between. */
import { sql } from 'kysely'
import type { Expression, SqlBool } from 'kysely'
import type { Transaction } from '../handles.ts'
import type { Schema } from '../schema.ts'
import { kyselyOf } from './database.ts'
import { pause, rowsPerTurn } from './pause.ts'

type Column<Table extends keyof Schema> = keyof Schema[Table] & string

export interface RowsToDelete<Table extends keyof Schema> {
  /** The columns of a unique key. */
  readonly key: readonly Column<Table>[]
  /** The rows to delete. An index should serve the condition. */
  readonly where: Expression<SqlBool>
  /** Deletes the rows with the lowest values first. */
  readonly orderBy?: Column<Table>
}

/** Deletes at most `limit` rows and returns their number. */
export async function deleteSome<Table extends keyof Schema>(
  tx: Transaction,
  table: Table,
  { key, where, orderBy, limit }: RowsToDelete<Table> & { readonly limit: number },
): Promise<number> {
  const columns = sql.join(key.map((column) => sql.ref(column)))
  const order = orderBy === undefined ? sql`` : sql`order by ${sql.ref(orderBy)}`
  const some = sql`select ${columns} from ${sql.table(table)} where ${where} ${order} limit ${limit}`
  const { numAffectedRows } =
    await sql`delete from ${sql.table(table)} where (${columns}) in (${some})`.execute(kyselyOf(tx))
  return Number(numAffectedRows ?? 0)
}

/** Deletes any number of rows within one transaction. */
export async function deleteInTurns<Table extends keyof Schema>(
  tx: Transaction,
  table: Table,
  rows: RowsToDelete<Table>,
): Promise<void> {
  while ((await deleteSome(tx, table, { ...rows, limit: rowsPerTurn })) === rowsPerTurn) await pause(tx)
}
