/** Wraps a Kysely dialect with any driver and translates its parameters and errors. */
import type {
  CompiledQuery,
  DatabaseConnection,
  DatabaseIntrospector,
  Dialect,
  DialectAdapter,
  Driver,
  Kysely,
  QueryCompiler,
  QueryResult,
  TransactionSettings,
} from 'kysely'

export interface Translation {
  readonly error: (error: unknown) => unknown
  /** Returns the same list if nothing changes. */
  readonly parameters: (parameters: readonly unknown[]) => readonly unknown[]
}

export class TranslatingDialect implements Dialect {
  readonly #inner: Dialect
  readonly #translate: Translation

  constructor(inner: Dialect, translate: Translation) {
    this.#inner = inner
    this.#translate = translate
  }

  createDriver(): Driver {
    return new TranslatingDriver(this.#inner.createDriver(), this.#translate)
  }

  createAdapter(): DialectAdapter {
    return this.#inner.createAdapter()
  }

  createQueryCompiler(): QueryCompiler {
    return this.#inner.createQueryCompiler()
  }

  createIntrospector(kysely: Kysely<unknown>): DatabaseIntrospector {
    return this.#inner.createIntrospector(kysely)
  }
}

class TranslatingDriver implements Driver {
  readonly #inner: Driver
  readonly #translate: Translation
  readonly #wrappers = new WeakMap<DatabaseConnection, TranslatingConnection>()

  constructor(inner: Driver, translate: Translation) {
    this.#inner = inner
    this.#translate = translate
  }

  init(): Promise<void> {
    return guard(this.#translate, () => this.#inner.init())
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await guard(this.#translate, () => this.#inner.acquireConnection())
    let wrapper = this.#wrappers.get(connection)
    if (wrapper === undefined) {
      wrapper = new TranslatingConnection(connection, this.#translate)
      this.#wrappers.set(connection, wrapper)
    }
    return wrapper
  }

  beginTransaction(connection: TranslatingConnection, settings: TransactionSettings): Promise<void> {
    return guard(this.#translate, () => this.#inner.beginTransaction(connection.inner, settings))
  }

  commitTransaction(connection: TranslatingConnection): Promise<void> {
    return guard(this.#translate, () => this.#inner.commitTransaction(connection.inner))
  }

  rollbackTransaction(connection: TranslatingConnection): Promise<void> {
    return guard(this.#translate, () => this.#inner.rollbackTransaction(connection.inner))
  }

  releaseConnection(connection: TranslatingConnection): Promise<void> {
    return this.#inner.releaseConnection(connection.inner)
  }

  destroy(): Promise<void> {
    return this.#inner.destroy()
  }
}

class TranslatingConnection implements DatabaseConnection {
  readonly inner: DatabaseConnection
  readonly #translate: Translation

  constructor(inner: DatabaseConnection, translate: Translation) {
    this.inner = inner
    this.#translate = translate
  }

  executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const parameters = this.#translate.parameters(query.parameters)
    const storable = parameters === query.parameters ? query : { ...query, parameters }
    return guard(this.#translate, () => this.inner.executeQuery<Row>(storable))
  }

  streamQuery<Row>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<Row>> {
    return this.inner.streamQuery<Row>(query, chunkSize)
  }
}

async function guard<T>(translate: Translation, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw translate.error(error)
  }
}
