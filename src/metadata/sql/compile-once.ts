/** Compiles the queries of the pull path: Kysely builds their SQL once per dialect, later calls only bind parameters. */
import { sql } from 'kysely'
import type { Compilable, Kysely, RawBuilder } from 'kysely'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import type { Reader } from '../handles.ts'
import type { Schema } from '../schema.ts'
import { databaseOf } from './database.ts'
import type { CompiledTemplate, Database, Dialect } from './database.ts'

export interface TemplateInput<Parameters> {
  readonly kysely: Kysely<Schema>
  readonly dialect: Dialect
  /** Returns a placeholder for the parameter of this name. */
  readonly parameter: <Name extends keyof Parameters & string>(name: Name) => RawBuilder<Parameters[Name]>
}

/** A compiled query. Always await its result: SQLite returns rows directly, without a promise. */
export interface QueryTemplate<Parameters, Row> {
  all(handle: Reader, parameters: Parameters): MaybePromise<Row[]>
  first(handle: Reader, parameters: Parameters): MaybePromise<Row | undefined>
}

class Placeholder {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

interface BoundTemplate extends CompiledTemplate {
  /** Placeholders and constants in the order of the SQL's parameters. */
  readonly slots: readonly unknown[]
}

export function compileOnce<Parameters extends object, Row extends object>(
  build: (input: TemplateInput<Parameters>) => Compilable<Row>,
): QueryTemplate<Parameters, Row> {
  const templates: Partial<Record<Dialect, BoundTemplate>> = {}
  const templateFor = (database: Database): BoundTemplate => {
    return (templates[database.dialect] ??= compileTemplate(database, build))
  }
  return {
    all(handle, parameters) {
      const database = databaseOf(handle)
      const template = templateFor(database)
      return database.templates.all(template, bind(template, parameters)) as MaybePromise<Row[]>
    },
    first(handle, parameters) {
      const database = databaseOf(handle)
      const template = templateFor(database)
      return database.templates.first(template, bind(template, parameters)) as MaybePromise<Row | undefined>
    },
  }
}

function compileTemplate<Parameters>(
  database: Database,
  build: (input: TemplateInput<Parameters>) => Compilable,
): BoundTemplate {
  const compiled = build({
    kysely: database.kysely,
    dialect: database.dialect,
    parameter: (name) => sql`${new Placeholder(name)}`,
  }).compile()
  return { sql: compiled.sql, slots: compiled.parameters }
}

function bind(template: BoundTemplate, parameters: object): unknown[] {
  const values: unknown[] = []
  for (const slot of template.slots) {
    values.push(slot instanceof Placeholder ? (parameters as Record<string, unknown>)[slot.name] : slot)
  }
  return values
}
