/** One SQLite connection: node:sqlite under Kysely, with cached statements, translated errors and asynchronous retries. */
import { DatabaseSync } from 'node:sqlite'
import type { SQLInputValue, StatementSync } from 'node:sqlite'
import { CompiledQuery, Kysely, SqliteDialect, SqliteDriver } from 'kysely'
import type { DatabaseConnection, QueryResult, SqliteDatabase, SqliteStatement } from 'kysely'
import type { MetadataUnavailable } from '../../errors.ts'
import type { Schema } from '../../schema.ts'
import type { CompiledTemplate, TemplateRunner } from '../../sql/database.ts'
import type { GroupConnection } from './group-commit.ts'
import { retryWhileBusy } from './busy.ts'
import { describeFatal, fatalKindOf, isBusy, translateSqliteError } from './errors.ts'
import { existingFile } from './files/path.ts'
import { TurnSnapshot } from './turn-snapshot.ts'

export interface SqliteConnectionOptions {
  readonly file: string
  readonly readOnly: boolean
  /** Called for each error that casts doubt on the content of the database. */
  readonly onFatal: (error: MetadataUnavailable) => void
}

export interface SqliteConnection {
  readonly kysely: Kysely<Schema>
  readonly templates: TemplateRunner
  /** Savepoints, for use inside a transaction. */
  readonly savepoints: Omit<GroupConnection, 'transact'>
  /** Ends the snapshot of this turn of the event loop: the next read sees everything committed by then. */
  endSnapshot(): void
  /** Runs statements, such as pragmas, without caching or retrying them. */
  exec(sql: string): void
  close(): Promise<void>
}

// Statements differ only in the number of inserted rows and in optional conditions.
const maxCachedStatements = 300

/** Opens a connection. All its errors are translated. */
export function openSqliteConnection(options: SqliteConnectionOptions): SqliteConnection {
  const guard = createGuard(options.onFatal)
  const database = guard(
    () =>
      new DatabaseSync(options.readOnly ? options.file : existingFile(options.file), {
        readOnly: options.readOnly,
        timeout: 0,
        enableForeignKeyConstraints: true,
      }),
  )
  const adapter = new SqliteAdapterDatabase(database, guard)
  const kysely = new Kysely<Schema>({ dialect: new RetryingDialect(database, adapter) })
  const snapshot = options.readOnly ? new TurnSnapshot(database, guard) : undefined
  return {
    kysely,
    templates: new SqliteTemplates({ database, guard, snapshot }),
    savepoints: createSavepoints(database, guard),
    endSnapshot: () => snapshot?.end(),
    exec: (sql) => guard(() => database.exec(sql)),
    async close() {
      snapshot?.end()
      await kysely.destroy()
      // Kysely closes the adapter only if it was used.
      adapter.close()
    },
  }
}

/** Runs a call of node:sqlite and translates its errors. */
type Guard = <T>(call: () => T) => T

function createGuard(onFatal: SqliteConnectionOptions['onFatal']): Guard {
  return (call) => {
    try {
      return call()
    } catch (error) {
      const kind = fatalKindOf(error)
      if (kind !== undefined) onFatal(describeFatal(kind, error))
      throw translateSqliteError(error)
    }
  }
}

function createSavepoints(database: DatabaseSync, guard: Guard): SqliteConnection['savepoints'] {
  const statements = new Map<string, StatementSync>()
  const run = (sql: string): void => {
    const statement = statements.get(sql) ?? database.prepare(sql)
    statements.set(sql, statement)
    statement.run()
  }
  return {
    inTransaction: () => database.isTransaction,
    setSavepoint: () => guard(() => run('savepoint job')),
    releaseSavepoint: () => guard(() => run('release job')),
    rollbackToSavepoint: () =>
      guard(() => {
        run('rollback to job')
        run('release job')
      }),
  }
}

/** The part of a database's interface that Kysely's SQLite driver requires. */
class SqliteAdapterDatabase implements SqliteDatabase {
  readonly #database: DatabaseSync
  readonly #guard: Guard
  readonly #statements = new Map<string, SqliteStatement>()

  constructor(database: DatabaseSync, guard: Guard) {
    this.#database = database
    this.#guard = guard
  }

  prepare(sql: string): SqliteStatement {
    const cached = this.#statements.get(sql)
    if (cached !== undefined) return cached
    const statement = adaptStatement(
      this.#guard(() => this.#database.prepare(sql)),
      this.#guard,
    )
    if (this.#statements.size >= maxCachedStatements) this.#forgetOldest()
    this.#statements.set(sql, statement)
    return statement
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close()
  }

  #forgetOldest(): void {
    for (const sql of this.#statements.keys()) {
      this.#statements.delete(sql)
      return
    }
  }
}

function adaptStatement(statement: StatementSync, guard: Guard): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => guard(() => statement.all(...(parameters as SQLInputValue[]))),
    run: (parameters) => guard(() => statement.run(...(parameters as SQLInputValue[]))),
    iterate() {
      // A cached statement supports only one iteration at a time, and an open one keeps the log from being reset.
      throw new Error('streams are not available on SQLite; read the rows page by page')
    },
  }
}

class RetryingDialect extends SqliteDialect {
  readonly #database: DatabaseSync
  readonly #adapter: SqliteDatabase

  constructor(database: DatabaseSync, adapter: SqliteDatabase) {
    super({ database: adapter })
    this.#database = database
    this.#adapter = adapter
  }

  override createDriver(): SqliteDriver {
    return new RetryingDriver(this.#database, this.#adapter)
  }
}

class RetryingDriver extends SqliteDriver {
  readonly #database: DatabaseSync
  #connection: RetryingConnection | undefined

  constructor(database: DatabaseSync, adapter: SqliteDatabase) {
    super({ database: adapter })
    this.#database = database
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    this.#connection ??= new RetryingConnection(await super.acquireConnection())
    return this.#connection
  }

  /** Takes the write lock at the start, so that nothing later in the transaction can find the database busy. */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  /** Rolls back only an open transaction: SQLite often rolls back on its own when the disk is full. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isTransaction) await super.rollbackTransaction(connection)
  }
}

class RetryingConnection implements DatabaseConnection {
  readonly #inner: DatabaseConnection

  constructor(inner: DatabaseConnection) {
    this.#inner = inner
  }

  executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    return retryWhileBusy(() => this.#inner.executeQuery<Row>(query))
  }

  streamQuery<Row>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<Row>> {
    return this.#inner.streamQuery<Row>(query, chunkSize)
  }
}

/** Runs templates directly on their prepared statements. Kysely would add as much time as the query itself takes. */
class SqliteTemplates implements TemplateRunner {
  readonly #database: DatabaseSync
  readonly #guard: Guard
  readonly #snapshot: TurnSnapshot | undefined
  readonly #statements = new Map<CompiledTemplate, StatementSync>()

  constructor(deps: { database: DatabaseSync; guard: Guard; snapshot: TurnSnapshot | undefined }) {
    this.#database = deps.database
    this.#guard = deps.guard
    this.#snapshot = deps.snapshot
  }

  first(template: CompiledTemplate, parameters: readonly unknown[]): unknown {
    try {
      return this.#statement(template).get(...(parameters as SQLInputValue[]))
    } catch (error) {
      return this.#recover(error, () => this.#statement(template).get(...(parameters as SQLInputValue[])))
    }
  }

  all(template: CompiledTemplate, parameters: readonly unknown[]): unknown {
    try {
      return this.#statement(template).all(...(parameters as SQLInputValue[]))
    } catch (error) {
      return this.#recover(error, () => this.#statement(template).all(...(parameters as SQLInputValue[])))
    }
  }

  /** The slow path: retries calls that found the database busy, and throws all other errors. */
  #recover(error: unknown, call: () => unknown): unknown {
    if (isBusy(translateSqliteError(error))) return retryWhileBusy(() => this.#guard(call))
    return this.#guard(() => {
      throw error
    })
  }

  #statement(template: CompiledTemplate): StatementSync {
    this.#snapshot?.join()
    let statement = this.#statements.get(template)
    if (statement === undefined) {
      statement = this.#database.prepare(template.sql)
      this.#statements.set(template, statement)
    }
    return statement
  }
}
