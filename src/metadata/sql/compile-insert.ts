/** Inserts several rows at once. Like `compileOnce`, but with one statement for each number of rows. */
import type { Insertable } from 'kysely'
import type { Transaction } from '../handles.ts'
import type { Schema } from '../schema.ts'
import { chunks } from './chunks.ts'
import { compileOnce } from './compile-once.ts'
import type { QueryTemplate } from './compile-once.ts'
import { pause, rowsPerTurn } from './pause.ts'

/** The most rows in one statement, and so the most statements kept per table. More rows take several statements. */
const maxRows = 32

type Values = Record<string, unknown>

/** Compiles an INSERT in which every row has a value for each of `columns`. Pauses after every hundred rows or so. */
export function compileInsert<
  Table extends keyof Schema,
  Column extends keyof Insertable<Schema[Table]> & string,
>(
  table: Table,
  columns: readonly Column[],
): (tx: Transaction, rows: readonly Required<Pick<Insertable<Schema[Table]>, Column>>[]) => Promise<void> {
  const templates = new Map<number, QueryTemplate<Values, object>>()
  const templateFor = (count: number): QueryTemplate<Values, object> => {
    const found = templates.get(count) ?? compileRows(table, { columns, count })
    templates.set(count, found)
    return found
  }
  return async (tx, rows) => {
    let inserted = 0
    for (const chunk of chunks(rows, maxRows)) {
      if (inserted >= rowsPerTurn) {
        await pause(tx)
        inserted = 0
      }
      inserted += chunk.length
      const values: Values = {}
      for (const [index, row] of chunk.entries()) {
        for (const column of columns) values[slotOf(column, index)] = row[column]
      }
      await templateFor(chunk.length).all(tx, values)
    }
  }
}

function compileRows(
  table: keyof Schema,
  { columns, count }: { columns: readonly string[]; count: number },
): QueryTemplate<Values, object> {
  return compileOnce<Values, object>(({ kysely, parameter }) => {
    const rows = Array.from({ length: count }, (_, index) =>
      Object.fromEntries(columns.map((column) => [column, parameter(slotOf(column, index))])),
    )
    return kysely.insertInto(table).values(rows)
  })
}

function slotOf(column: string, index: number): string {
  return `${column}:${index}`
}
