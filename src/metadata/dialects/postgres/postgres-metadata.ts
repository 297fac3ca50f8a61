/** Metadata on any PostgreSQL that Kysely connects to. A commit is durable when it returns, so there is no barrier. */
import { setTimeout as sleep } from 'node:timers/promises'
import { CompiledQuery, Kysely, sql } from 'kysely'
import type { Dialect } from 'kysely'
import type { Clock } from '../../../lib/clock.ts'
import { Conflict } from '../../errors.ts'
import type { Reader, Transaction } from '../../handles.ts'
import type { Metadata } from '../../metadata.ts'
import { migrate } from '../../migrations/migrate.ts'
import type { Schema } from '../../schema.ts'
import { createReader, createTransaction, kyselyOf } from '../../sql/database.ts'
import type { CommitNotes, Database } from '../../sql/database.ts'
import { translatePostgresError } from './errors.ts'
import { installationQuery, PostgresIdentity } from './identity.ts'
import { toStorable } from '../storable-text.ts'
import { TranslatingDialect } from '../translating-dialect.ts'

export interface PostgresMetadataDeps {
  readonly dialect: Dialect
  readonly clock: Clock
  /** The identity that the connections are checked against. */
  readonly identity?: PostgresIdentity
  /** Whether to upgrade the schema. Default `true`. */
  readonly upgrade?: boolean
  /** Inspects the database before the upgrade. If it throws, the database stays as it was. */
  readonly inspect?: ((db: Reader) => Promise<void>) | undefined
}

const maxAttempts = 6
const pauseStepMs = 5

/** Upgrades the database unless `upgrade` is `false`. On failure everything is closed. */
export async function createPostgresMetadata(deps: PostgresMetadataDeps): Promise<Metadata> {
  const dialect = new TranslatingDialect(deps.dialect, {
    error: translatePostgresError,
    parameters: toStorable,
  })
  const { identity = new PostgresIdentity() } = deps
  const metadata = new PostgresMetadata(new Kysely<Schema>({ dialect }), identity)
  try {
    if (deps.upgrade === false) await metadata.ping()
    else
      await metadata.transact(async (tx) => {
        // Another process may be upgrading a large database.
        await sql`set local statement_timeout = 0`.execute(kyselyOf(tx))
        await deps.inspect?.(tx)
        await migrate(tx, deps.clock.now())
      })
    return metadata
  } catch (error) {
    await metadata[Symbol.asyncDispose]()
    throw error
  }
}

class PostgresMetadata implements Metadata {
  readonly dialect = 'postgres'
  readonly reader: Reader
  readonly #kysely: Kysely<Schema>
  readonly #identity: PostgresIdentity
  readonly #rightsListeners: (() => void)[] = []

  constructor(kysely: Kysely<Schema>, identity: PostgresIdentity) {
    this.#kysely = kysely
    this.#identity = identity
    this.reader = createReader(databaseWith(kysely))
  }

  async transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const notes: CommitNotes = { hasChangedRights: false }
      try {
        return await this.#kysely
          .transaction()
          .execute((kysely) => work(createTransaction({ ...databaseWith(kysely), notes })))
      } catch (error) {
        if (!(error instanceof Conflict) || attempt === maxAttempts) throw error
      } finally {
        // Also after a commit whose answer was lost.
        this.#tell(notes)
      }
      await sleep(attempt * pauseStepMs)
    }
  }

  #tell({ hasChangedRights }: CommitNotes): void {
    if (hasChangedRights) for (const listener of this.#rightsListeners) listener()
  }

  onRightsChange(listener: () => void): void {
    this.#rightsListeners.push(listener)
  }

  flush(): Promise<void> {
    return Promise.resolve()
  }

  expectInstallation(id: string): void {
    this.#identity.expect(id)
  }

  /** Also checks the installation, because a database may be replaced under open connections. */
  async ping(): Promise<void> {
    await sql`select 1`.execute(this.#kysely)
    await this.#identity.check(async () => {
      const { rows } = await sql.raw<{ id: string }>(installationQuery).execute(this.#kysely)
      return rows[0]?.id
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kysely.destroy()
  }
}

function databaseWith(kysely: Kysely<Schema>): Database {
  return {
    dialect: 'postgres',
    kysely,
    templates: {
      async all(template, parameters) {
        const { rows } = await kysely.executeQuery(CompiledQuery.raw(template.sql, [...parameters]))
        return rows
      },
      async first(template, parameters) {
        const { rows } = await kysely.executeQuery(CompiledQuery.raw(template.sql, [...parameters]))
        return rows[0]
      },
    },
  }
}
