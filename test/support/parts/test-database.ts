/**
 * @module The database for tests of identity, rights and names: SQLite, or with `LADING_TEST_DATABASE=postgres` (the project
 * `rights-postgres`) a separate database per test on the server of `scripts/postgres.ts`.
 */
import type { ConfigInput } from '../../../src/config/schema.ts'
import type { Clock } from '../../../src/lib/clock.ts'
import { openPostgresMetadata } from '../../../src/metadata/dialects/postgres/postgres.ts'
import { openSqliteMetadata } from '../../../src/metadata/dialects/sqlite/sqlite.ts'
import type { Metadata } from '../../../src/metadata/metadata.ts'
import { createPostgresDatabase, runStatements } from './postgres-database.ts'
import type { PostgresDatabase } from './postgres-database.ts'

export const testDatabase = process.env['LADING_TEST_DATABASE'] === 'postgres' ? 'postgres' : 'sqlite'

export interface TestMetadata extends AsyncDisposable {
  readonly metadata: Metadata
  /**
   * Opens the database as another process would. With SQLite it returns the same `Metadata`: a change is visible everywhere at
   * once.
   */
  openSecond(): Promise<Metadata>
}

interface TestMetadataOptions {
  /** The path of the SQLite database. */
  readonly file: string
  readonly clock: Clock
  readonly onFatal: (error: unknown) => void
}

/** Opens a database. Disposing closes everything that was opened, and the database. */
export async function openTestMetadata({ file, clock, onFatal }: TestMetadataOptions): Promise<TestMetadata> {
  await using stack = new AsyncDisposableStack()
  if (testDatabase === 'sqlite') {
    const metadata = stack.use(await openSqliteMetadata({ file, clock, onFatal }))
    const resources = stack.move()
    return {
      metadata,
      openSecond: () => Promise.resolve(metadata),
      [Symbol.asyncDispose]: () => resources.disposeAsync(),
    }
  }
  const { url } = stack.use(await takeDatabase())
  const open = () => openPostgresMetadata({ url, clock, upgrade: false, maxConnections: 4 })
  const metadata = stack.use(await open())
  const resources = stack.move()
  return {
    metadata,
    openSecond: async () => resources.use(await open()),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

export interface TestDatabaseConfig extends AsyncDisposable {
  readonly metadata: NonNullable<ConfigInput['metadata']>
}

/** Creates a database and returns the configuration for a registry. */
export async function createTestDatabase(): Promise<TestDatabaseConfig> {
  if (testDatabase === 'sqlite') {
    return { metadata: { driver: 'sqlite' }, [Symbol.asyncDispose]: () => Promise.resolve() }
  }
  const database = await takeDatabase()
  return {
    metadata: { driver: 'postgres', url: database.url },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

/** Unused databases in the state after their first upgrade: resetting one is ten times faster than creating one. */
const idle: PostgresDatabase[] = []

async function takeDatabase(): Promise<PostgresDatabase> {
  const database = idle.pop() ?? (await createUpgraded())
  return {
    url: database.url,
    async [Symbol.asyncDispose]() {
      await runStatements(database.url, reset)
      idle.push(database)
    },
  }
}

/** Creates an upgraded database, which is dropped with the test server. */
async function createUpgraded(): Promise<PostgresDatabase> {
  const database = await createPostgresDatabase()
  const metadata = await openPostgresMetadata({ url: database.url, clock: { now: () => 1 } })
  await metadata[Symbol.asyncDispose]()
  await runStatements(database.url, keepRows)
  return database
}

/** Saves the rows that an upgrade creates. */
const keepRows = `create schema kept; do $$ declare name text; begin
  for name in select tablename from pg_tables where schemaname = 'public' loop
    execute format('create table kept.%1$I as table public.%1$I', name);
  end loop;
end $$`

const reset = `set session_replication_role = replica; do $$ declare name text; begin
  for name in select tablename from pg_tables where schemaname = 'public' loop
    execute format('delete from public.%1$I', name);
    execute format('insert into public.%1$I overriding system value table kept.%1$I', name);
  end loop;
end $$`
