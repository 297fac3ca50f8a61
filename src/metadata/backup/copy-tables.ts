/** Copies every table from one database to another with the same schema, page by page, between any two dialects. */
import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import type { Reader, Transaction } from '../handles.ts'
import { chunks } from '../sql/chunks.ts'
import { databaseOf, kyselyOf } from '../sql/database.ts'
import { storableText } from '../sql/storable-text.ts'
import { copyRowIds } from './row-ids.ts'
import { copiedTables, type TableForm } from './tables.ts'

type Row = Readonly<Record<string, unknown>>

export interface CopyTablesOptions {
  /** Runs a part of the copy in a transaction of the target: one for everything, or one for each page. */
  readonly write: (work: (tx: Transaction) => Promise<void>) => Promise<void>
  /** Called with the number of rows copied so far. */
  readonly onProgress?: ((rows: number) => void) | undefined
}

const pageRows = 500
/** The most bytes of long columns in a page; a longer row gets its own page. A manifest may be about 10 MiB. */
const pageBytes = 8 * 1024 * 1024

// Far below the limits of both drivers.
const parametersPerInsert = 900

/**
 * Copies all tables. `source` must show the same state throughout: a snapshot transaction, or a file without writers.
 * The target's tables must be empty except for the rows that its migrations inserted.
 */
export async function copyTables(source: Reader, options: CopyTablesOptions): Promise<void> {
  let rows = 0
  for (const [name, form] of copiedTables) {
    const table = { name, form }
    if (form.isSeeded) await options.write((tx) => emptyTable(tx, name))
    let page = await readPage(source, table, undefined)
    while (page.length > 0) {
      const current = page
      await options.write((tx) => insertRows(tx, name, current))
      rows += current.length
      options.onProgress?.(rows)
      page = await readPage(source, table, current.at(-1))
    }
  }
  await options.write((tx) => copyRowIds(source, tx))
}

interface PagedTable {
  readonly name: string
  readonly form: TableForm
}

async function emptyTable(tx: Transaction, name: string): Promise<void> {
  await sql`delete from ${sql.table(name)}`.execute(kyselyOf(tx))
}

async function readPage(source: Reader, table: PagedTable, after: Row | undefined): Promise<readonly Row[]> {
  const { name, form } = table
  const from = sql`from ${sql.table(name)}`
  const isAfter = after === undefined ? sql`1 = 1` : sql`${columnsOf(form)} > ${valuesOf(form, after)}`
  const order = sql`order by ${sql.join(form.key.map((column) => sql.ref(column)))}`
  if (form.long === undefined) {
    return select(source, sql<Row>`select * ${from} where ${isAfter} ${order} limit ${sql.lit(pageRows)}`)
  }
  // Reads the lengths first, so that no oversized page is loaded.
  const keys = sql.join(form.key.map((column) => sql.ref(column)))
  const lengths = await select(
    source,
    sql<Row>`select ${keys}, ${lengthOf(form.long)} as row_bytes ${from} where ${isAfter} ${order}
      limit ${sql.lit(pageRows)}`,
  )
  const last = findLast(lengths)
  if (last === undefined) return []
  const isUpTo = sql`${columnsOf(form)} <= ${valuesOf(form, last)}`
  return select(source, sql<Row>`select * ${from} where ${isAfter} and ${isUpTo} ${order}`)
}

/** Returns the last row that fits; the first one always does. */
function findLast(lengths: readonly Row[]): Row | undefined {
  let bytes = 0
  const end = lengths.findIndex((row) => {
    bytes += Number(row['row_bytes'])
    return bytes > pageBytes
  })
  if (end === -1) return lengths.at(-1)
  return lengths[Math.max(0, end - 1)]
}

function lengthOf(columns: readonly string[]): RawBuilder<unknown> {
  return sql.join(
    columns.map((column) => sql`coalesce(octet_length(${sql.ref(column)}), 0)`),
    sql` + `,
  )
}

function columnsOf({ key }: TableForm): RawBuilder<unknown> {
  return sql`(${sql.join(key.map((column) => sql.ref(column)))})`
}

function valuesOf({ key }: TableForm, row: Row): RawBuilder<unknown> {
  return sql`(${sql.join(key.map((column) => row[column]))})`
}

async function select(source: Reader, query: RawBuilder<Row>): Promise<readonly Row[]> {
  const { rows } = await query.execute(kyselyOf(source))
  return rows
}

async function insertRows(tx: Transaction, name: string, rows: readonly Row[]): Promise<void> {
  const { dialect, kysely } = databaseOf(tx)
  const columns = Object.keys(rows[0] ?? {})
  // Row ids come from the source; PostgreSQL needs `overriding system value` to accept them.
  const override = dialect === 'postgres' ? sql`overriding system value` : sql``
  for (const chunk of chunks(rows, Math.max(1, Math.floor(parametersPerInsert / columns.length)))) {
    const values = chunk.map((row) => sql`(${sql.join(columns.map((column) => storable(row[column])))})`)
    const names = sql.join(columns.map((column) => sql.ref(column)))
    await sql`insert into ${sql.table(name)} (${names}) ${override} values ${sql.join(values)}`.execute(
      kysely,
    )
  }
}

/** Replaces characters that SQLite accepts and PostgreSQL refuses. */
function storable(value: unknown): unknown {
  return typeof value === 'string' ? storableText(value) : value
}
