/** Deletes any number of rows within one transaction, some at a time, with turns for everybody else in between. */
import { sql } from 'kysely'
import type { Expression, SqlBool } from 'kysely'
import type { Transaction } from '../handles.ts'
import type { Schema } from '../schema.ts'
import { kyselyOf } from './database.ts'
import { pause, rowsPerTurn } from './pause.ts'

/** `key` has the columns of a unique key; an index should serve `where`. */
export async function deleteInTurns<Table extends keyof Schema>(
  tx: Transaction,
  table: Table,
  {
    key,
    where,
  }: { readonly key: readonly (keyof Schema[Table] & string)[]; readonly where: Expression<SqlBool> },
): Promise<void> {
  const columns = sql.join(key.map((column) => sql.ref(column)))
  for (;;) {
    const some = sql`select ${columns} from ${sql.table(table)} where ${where} limit ${rowsPerTurn}`
    const { numAffectedRows } =
      await sql`delete from ${sql.table(table)} where (${columns}) in (${some})`.execute(kyselyOf(tx))
    if (Number(numAffectedRows ?? 0) < rowsPerTurn) return
    await pause(tx)
  }
}
