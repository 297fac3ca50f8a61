/**
 * A pool that checks the database again before it hands out a connection, because tables can be replaced under an open
 * one. A second registry may put its tables into a schema that comes first in the search path, or the dump of another
 * registry may be loaded into the database.
 */
import type { PostgresPool } from 'kysely'
import { DatabaseError, type Pool, type PoolClient } from 'pg'
import type { Clock } from '../../../lib/clock.ts'
import { installationQuery, type PostgresIdentity } from './identity.ts'

const undefinedTable = '42P01'

// Until the change is noticed, writes to the other tables are acknowledged. SQLite's files are checked equally often.
const checkIntervalMs = 250

export interface CheckedPoolDeps {
  readonly pool: Pool
  readonly identity: PostgresIdentity
  readonly monotonic: Clock
}

export class CheckedPool implements PostgresPool {
  readonly #deps: CheckedPoolDeps
  readonly #lookedAt = new WeakMap<PoolClient, number>()

  constructor(deps: CheckedPoolDeps) {
    this.#deps = deps
  }

  get options(): PostgresPool['options'] {
    return this.#deps.pool.options
  }

  /**
   * Hands out a connection. Throws `MetadataUnavailable` if it leads to the database of another registry, and errors of
   * the driver.
   */
  async connect(): Promise<PoolClient> {
    const client = await this.#deps.pool.connect()
    const now = this.#deps.monotonic.now()
    if (now - (this.#lookedAt.get(client) ?? -Infinity) < checkIntervalMs) return client
    try {
      await this.#deps.identity.check(() => readInstallation(client))
    } catch (error) {
      // A new connection may lead to the right place.
      client.release(true)
      throw error
    }
    this.#lookedAt.set(client, now)
    return client
  }

  end(): Promise<void> {
    return this.#deps.pool.end()
  }
}

/** Returns the installation id, or `undefined` if the tables of a registry are missing. */
async function readInstallation(client: PoolClient): Promise<string | undefined> {
  try {
    const { rows } = await client.query<{ id: string }>(installationQuery)
    return rows[0]?.id
  } catch (error) {
    if (error instanceof DatabaseError && error.code === undefinedTable) return undefined
    throw error
  }
}
