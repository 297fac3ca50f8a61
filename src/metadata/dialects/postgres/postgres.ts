/**
 * @module
 * Metadata in PostgreSQL 15 or newer, for any number of machines. Isolation is READ COMMITTED: the query files take
 * the row locks they need, and a transaction that meets another one badly is run again.
 */
import { CompiledQuery, PostgresDialect } from 'kysely'
import { Pool, types } from 'pg'
import type { Clock } from '../../../lib/clock.ts'
import type { Reader } from '../../handles.ts'
import type { Metadata } from '../../metadata.ts'
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
  const pool = new Pool({
    connectionString: options.url,
    max: options.maxConnections ?? defaultMaxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    application_name: 'lading',
    types: { getTypeParser },
  })
  // Without listeners a broken connection would end the process: the pool hears of idle ones only, and a query that
  // runs on a broken one is rejected besides.
  const onError = options.onError ?? (() => undefined)
  pool.on('error', onError)
  pool.on('connect', (client) => client.on('error', onError))
  const dialect = new PostgresDialect({
    pool,
    async onCreateConnection(connection) {
      await connection.executeQuery(CompiledQuery.raw(ensureDurableCommits))
    },
  })
  const { clock, upgrade = true, inspect } = options
  return createPostgresMetadata({ dialect, clock, upgrade, inspect })
}

const getTypeParser: typeof types.getTypeParser = (id, format) => {
  return integerTypeIds.includes(id) ? parseSafeInteger : types.getTypeParser(id, format)
}
