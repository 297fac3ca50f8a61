/** What the opaque handles hold, and the few places where the two SQL dialects differ. */
import { sql } from 'kysely'
import type { Kysely, RawBuilder, SqlBool } from 'kysely'
import type { Reader, Transaction } from '../handles.ts'
import type { Schema } from '../schema.ts'

export type Dialect = 'sqlite' | 'postgres'

/** Its identity is the key of a driver's prepared statement. */
export interface CompiledTemplate {
  readonly sql: string
}

/**
 * Runs a query that was compiled before; drivers may keep prepared statements under the template's identity. Rows, or
 * a promise of them: a driver that answers at once costs no more than that.
 */
export interface TemplateRunner {
  all(template: CompiledTemplate, parameters: readonly unknown[]): unknown
  first(template: CompiledTemplate, parameters: readonly unknown[]): unknown
}

/** What a transaction did that others of the process have to hear of once it is committed. */
export interface CommitNotes {
  hasChangedRights: boolean
}

export interface Database {
  readonly dialect: Dialect
  /** Of a transaction, where somebody wants to hear of it. */
  readonly notes?: CommitNotes
  readonly kysely: Kysely<Schema>
  readonly templates: TemplateRunner
}

export function createReader(database: Database): Reader {
  return { _reader: database }
}

export function createTransaction(database: Database): Transaction {
  return { _reader: database, _transaction: database }
}

export function databaseOf(handle: Reader): Database {
  return handle._reader as Database
}

export function kyselyOf(handle: Reader): Kysely<Schema> {
  return databaseOf(handle).kysely
}

/** PostgreSQL takes row locks; on SQLite the one writer has locked everything already. */
export function hasRowLocks(handle: Reader): boolean {
  return databaseOf(handle).dialect === 'postgres'
}

/**
 * `column in (values)` for any number of texts as one parameter, so that neither the number of parameters nor the
 * number of distinct statements grows with it. `values` may be a placeholder filled with `listParameter`.
 */
export function isAnyOf(
  dialect: Dialect,
  column: string,
  values: readonly string[] | RawBuilder<unknown>,
): RawBuilder<SqlBool> {
  const list = Array.isArray(values) ? listParameter(dialect, values) : values
  if (dialect === 'postgres') return sql<SqlBool>`${sql.ref(column)} = any(${list}::text[])`
  return sql<SqlBool>`${sql.ref(column)} in (select value from json_each(${list}))`
}

/** The value of a placeholder that stands for a list in `isAnyOf`. */
export function listParameter(dialect: Dialect, values: readonly string[]): string | readonly string[] {
  return dialect === 'postgres' ? values : JSON.stringify(values)
}

/** As `isAnyOf`, for row ids; the value of the placeholder is made by `idsParameter`. */
export function isAnyOfIds(dialect: Dialect, column: string, ids: RawBuilder<unknown>): RawBuilder<SqlBool> {
  if (dialect === 'postgres') return sql<SqlBool>`${sql.ref(column)} = any(${ids}::bigint[])`
  return sql<SqlBool>`${sql.ref(column)} in (select value from json_each(${ids}))`
}

export function idsParameter(dialect: Dialect, ids: readonly number[]): string | readonly number[] {
  return dialect === 'postgres' ? ids : JSON.stringify(ids)
}
