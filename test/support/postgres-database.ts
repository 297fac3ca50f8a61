/** A database of its own on the server of `scripts/postgres.ts`. */
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'

export interface PostgresDatabase extends AsyncDisposable {
  readonly url: string
}

/** Dropped on dispose, whoever is connected. Throws without `LADING_TEST_POSTGRES_URL`. */
export async function createPostgresDatabase(): Promise<PostgresDatabase> {
  const server = process.env['LADING_TEST_POSTGRES_URL']
  if (server === undefined) throw new Error('LADING_TEST_POSTGRES_URL is not set: run scripts/postgres.ts')
  const name = `lading_${randomBytes(6).toString('hex')}`
  await runStatement(server, `create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return {
    url: url.href,
    [Symbol.asyncDispose]: () => runStatement(server, `drop database ${name} with (force)`),
  }
}

async function runStatement(server: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: server })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
