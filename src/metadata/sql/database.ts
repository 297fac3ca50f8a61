/** The content of the opaque handles, and the few places where the two SQL dialects differ. */
import { sql } from 'kysely'
import type { Kysely, RawBuilder, SqlBool } from 'kysely'
import type { Reader, Transaction } from '../handles.ts'
import type { Schema } from '../schema.ts'

export type Dialect = 'sqlite' | 'postgres'

/** A compiled query. Drivers may use the object itself as the key of a prepared statement. */
export interface CompiledTemplate {
  readonly sql: string
}

/**
 * Runs compiled queries; drivers may keep a prepared statement for each template. Returns rows, or a promise of them, so
 * that a driver that answers at once creates no promise.
 */
export interface TemplateRunner {
  all(template: CompiledTemplate, parameters: readonly unknown[]): unknown
  first(template: CompiledTemplate, parameters: readonly unknown[]): unknown
}

/** The effects of a transaction that the process acts on after the commit. */
export interface CommitNotes {
  hasChangedRights: boolean
}

export interface Database {
  readonly dialect: Dialect
  /** The notes of a transaction; absent if nothing acts on them. */
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

/** Whether the dialect has row locks. SQLite has a single writer, which has locked everything already. */
export function hasRowLocks(handle: Reader): boolean {
  return databaseOf(handle).dialect === 'postgres'
}

/**
 * Returns `column in (values)` with any number of texts as one parameter, so that neither the number of parameters nor
 * the number of distinct statements grows. `values` may be a placeholder filled with `listParameter`.
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

/** Returns the value of a placeholder for a list in `isAnyOf`. */
export function listParameter(dialect: Dialect, values: readonly string[]): string | readonly string[] {
  return dialect === 'postgres' ? values : JSON.stringify(values)
}

/** Like `isAnyOf`, but for row ids; `idsParameter` returns the value of the placeholder. */
export function isAnyOfIds(dialect: Dialect, column: string, ids: RawBuilder<unknown>): RawBuilder<SqlBool> {
  if (dialect === 'postgres') return sql<SqlBool>`${sql.ref(column)} = any(${ids}::bigint[])`
  return sql<SqlBool>`${sql.ref(column)} in (select value from json_each(${ids}))`
}

export function idsParameter(dialect: Dialect, ids: readonly number[]): string | readonly number[] {
  return dialect === 'postgres' ? ids : JSON.stringify(ids)
}
