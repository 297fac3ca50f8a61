/** The start with a PostgreSQL database that is not the one of the store, on a real server. */
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { env } from 'node:process'
import { Client } from 'pg'
import { expect, test } from 'vitest'
import { tempFolder } from '../../../test/support/temp-folder.ts'
import { createApp } from '../../app.ts'
import { createPasswordHasher } from '../../identity/passwords/password-hash.ts'
import { configSchema } from '../../config/schema.ts'
import { silentLog } from '../../../test/support/silent-log.ts'
import { StoreMismatchError } from '../pair-store.ts'

/** The URL of a new, empty database on the server of the tests. */
async function createDatabase(): Promise<URL> {
  const url = new URL(env['LADING_TEST_POSTGRES_URL'] ?? '')
  const name = `pairing_${randomBytes(6).toString('hex')}`
  const client = new Client({ connectionString: url.href })
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  url.pathname = `/${name}`
  return url
}

async function listTables(url: URL): Promise<number> {
  const client = new Client({ connectionString: url.href })
  await client.connect()
  const { rows } = await client.query(`select 1 from pg_tables where schemaname = 'public'`)
  await client.end()
  return rows.length
}

test('an empty database is refused beside a full store, and stays empty like the store stays full', async () => {
  await using folder = await tempFolder()
  const data = join(folder.path, 'data')
  const start = (url: URL) =>
    createApp(
      configSchema.parse({ data, http: { port: 0 }, metadata: { driver: 'postgres', url: url.href } }),
      {
        logger: silentLog,
        auth: { passwords: createPasswordHasher({ cost: { memoryKib: 64, passes: 1 } }) },
      },
    )
  const [own, other] = [await createDatabase(), await createDatabase()]
  await (await start(own))[Symbol.asyncDispose]()
  const before = readdirSync(data, { recursive: true, encoding: 'utf8' }).toSorted()
  await expect(start(other)).rejects.toThrow(StoreMismatchError)
  expect(await listTables(other)).toBe(0)
  expect(readdirSync(data, { recursive: true, encoding: 'utf8' }).toSorted()).toEqual(before)
  await (await start(own))[Symbol.asyncDispose]()
})
