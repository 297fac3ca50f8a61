/**
 * @module
 * Metadata in PostgreSQL 15 or newer, for any number of machines. The isolation level is READ COMMITTED: the query files
 * take the row locks they need, and a transaction that conflicts with another one is retried.
 */
import { PostgresDialect } from 'kysely'
import { Pool, types, type PoolClient } from 'pg'
import { monotonicClock, type Clock } from '../../../lib/clock.ts'
import type { Reader } from '../../handles.ts'
import type { Metadata } from '../../metadata.ts'
import { CheckedPool } from './checked-pool.ts'
import { PostgresIdentity } from './identity.ts'
import { createPostgresMetadata } from './postgres-metadata.ts'
import { integerTypeIds, parseSafeInteger } from '../safe-integer.ts'

export interface PostgresMetadataOptions {
  /** postgres://user:password@host:port/database */
  readonly url: string
  readonly clock: Clock
  readonly maxConnections?: number
  /**
   * Called when a connection breaks, twice for an idle one. The pool replaces it, and queries show whether the server is
   * available.
   */
  readonly onError?: (error: unknown) => void
  /**
   * Whether to upgrade the schema. `false` leaves it as it is, for callers that inspect it or upgrade it themselves.
   * Default `true`.
   */
  readonly upgrade?: boolean
  /** Inspects the database before the upgrade. If it throws, the database stays as it was. */
  readonly inspect?: ((db: Reader) => Promise<void>) | undefined
}

// A server allows 100 connections by default, which must be enough for several replicas with two workers each.
const defaultMaxConnections = 10
const connectTimeoutMs = 5_000
const statementTimeoutMs = 30_000

// An acknowledged commit must be durable, regardless of the server's default.
const ensureDurableCommits = `select set_config('synchronous_commit', 'on', false)
  where current_setting('synchronous_commit') = 'off'`

/** Connects and, unless `upgrade` is `false`, upgrades. Throws `MetadataUnavailable`, `MetadataFull` and `MetadataTooNew`. */
export async function openPostgresMetadata(options: PostgresMetadataOptions): Promise<Metadata> {
  const identity = new PostgresIdentity()
  const pool = new Pool({
    connectionString: options.url,
    max: options.maxConnections ?? defaultMaxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    application_name: 'lading',
    types: { getTypeParser },
    // A connection that fails here leaves the pool. One that fails while Kysely prepares it would keep its place for
    // ever.
    verify: (client, done) => void prepare(client, done),
  })
  // Without listeners a broken connection would end the process. The pool reports only idle connections; a query on a
  // broken connection is also rejected.
  const onError = options.onError ?? (() => undefined)
  pool.on('error', onError)
  pool.on('connect', (client) => client.on('error', onError))
  const dialect = new PostgresDialect({
    pool: new CheckedPool({ pool, identity, monotonic: monotonicClock }),
  })
  const { clock, upgrade = true, inspect } = options
  return createPostgresMetadata({ dialect, clock, identity, upgrade, inspect })
}

/** Prepares a connection before its first use. */
async function prepare(client: PoolClient, done: (error?: Error) => void): Promise<void> {
  let fault: Error | undefined
  try {
    await client.query(ensureDurableCommits)
  } catch (error) {
    fault = error instanceof Error ? error : new Error(String(error))
  }
  done(fault)
}

const getTypeParser: typeof types.getTypeParser = (id, format) => {
  return integerTypeIds.includes(id) ? parseSafeInteger : types.getTypeParser(id, format)
}
