/**
 * @module
 * Metadata in PostgreSQL 15 or newer, for any number of machines. Isolation is READ COMMITTED: the query files take
 * the row locks they need, and a transaction that meets another one badly is run again.
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
  /** A connection broke (an idle one is told twice); it is replaced, and queries tell whether the server is there. */
  readonly onError?: (error: unknown) => void
  /** `false` leaves the schema as it is, for those that look at it or upgrade it themselves. Default `true`. */
  readonly upgrade?: boolean
  /** Looks at the database before it is upgraded. What it throws leaves the database as it was. */
  readonly inspect?: ((db: Reader) => Promise<void>) | undefined
}

// A server allows 100 connections by default; several replicas with two workers each must fit.
const defaultMaxConnections = 10
const connectTimeoutMs = 5_000
const statementTimeoutMs = 30_000

// A commit that is acknowledged must be durable, whatever the server's default is.
const ensureDurableCommits = `select set_config('synchronous_commit', 'on', false)
  where current_setting('synchronous_commit') = 'off'`

/** Connects and, unless told otherwise, upgrades. Throws `MetadataUnavailable`, `MetadataFull`, `MetadataTooNew`. */
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
    // One that is refused here leaves the pool; one that Kysely prepares and that fails would keep its place for ever.
    verify: (client, done) => void prepare(client, done),
  })
  // Without listeners a broken connection would end the process: the pool hears of idle ones only, and a query that
  // runs on a broken one is rejected besides.
  const onError = options.onError ?? (() => undefined)
  pool.on('error', onError)
  pool.on('connect', (client) => client.on('error', onError))
  const dialect = new PostgresDialect({
    pool: new CheckedPool({ pool, identity, monotonic: monotonicClock }),
  })
  const { clock, upgrade = true, inspect } = options
  return createPostgresMetadata({ dialect, clock, identity, upgrade, inspect })
}

/** Before the first use of a connection. */
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
