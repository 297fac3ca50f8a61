/** Writes the result of a command: one JSON value with `--json`, lines or a table for people otherwise. */
import type { CliHost } from './command.ts'

/** The value of a table cell. A `Date` is an ISO time to the second, and `undefined` is `-`. */
export type Cell = string | number | Date | undefined

/** The heading of each column, with a function that returns its cell of a row. */
export type Columns<Row> = Readonly<Record<string, (row: Row) => Cell>>

export interface Output {
  /** Prints a single result: a JSON value, or lines. */
  readonly print: (value: unknown, lines: string | readonly string[]) => void
  /** Prints one value of a stream, always as one line of JSON. */
  readonly printJson: (value: unknown) => void
  /** Prints a list: a JSON array of the rows, or a table. */
  readonly printTable: <Row>(rows: readonly Row[], columns: Columns<Row>) => void
}

export function createOutput(host: Pick<CliHost, 'out'>, json: boolean): Output {
  const printJson: Output['printJson'] = (value) => host.out(JSON.stringify(value))
  const print: Output['print'] = (value, lines) => {
    if (json) printJson(value)
    else for (const line of typeof lines === 'string' ? [lines] : lines) host.out(line)
  }
  return {
    print,
    printJson,
    printTable: (rows, columns) => print(rows, json ? [] : formatTable(rows, columns)),
  }
}

/** Returns the lines of a table, headings first. */
function formatTable<Row>(rows: readonly Row[], columns: Columns<Row>): string[] {
  const cells = Object.values(columns)
  return alignColumns([
    Object.keys(columns),
    ...rows.map((row) => cells.map((cell) => formatCell(cell(row)))),
  ])
}

/** Pads the cells of each column to the same width. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function formatCell(cell: Cell): string {
  if (cell === undefined) return '-'
  return cell instanceof Date ? formatTime(cell) : String(cell)
}

/** Formats a time to the second, in UTC: `2026-01-31T12:00:00Z`. */
export function formatTime(time: Date): string {
  return time.toISOString().replace(/\.\d{3}Z$/, 'Z')
}

/** Returns the date, or `undefined` for a missing time. */
export function toDate(ms: number | undefined): Date | undefined {
  return ms === undefined ? undefined : new Date(ms)
}
