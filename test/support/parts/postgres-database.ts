/** Databases on the server of `scripts/postgres.ts`. */
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'

export interface PostgresDatabase extends AsyncDisposable {
  readonly url: string
}

/**
 * Creates an empty database, which is dropped on dispose even while clients are connected. Throws without
 * `LADING_TEST_POSTGRES_URL`.
 */
export async function createPostgresDatabase(): Promise<PostgresDatabase> {
  const server = process.env['LADING_TEST_POSTGRES_URL']
  if (server === undefined) throw new Error('LADING_TEST_POSTGRES_URL is not set: run scripts/postgres.ts')
  const name = `lading_${randomBytes(6).toString('hex')}`
  await runStatements(server, `create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return {
    url: url.href,
    [Symbol.asyncDispose]: () => runStatements(server, `drop database ${name} with (force)`),
  }
}

/** Runs one statement, or several without parameters. */
export async function runStatements(url: string, statements: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statements)
  } finally {
    await client.end()
  }
}
