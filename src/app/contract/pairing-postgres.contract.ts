/** Tests on a real server that a start refuses a PostgreSQL database that does not belong to the store. */
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { env } from 'node:process'
import { Client } from 'pg'
import { expect, test } from 'vitest'
import { ask } from '../../../test/support/http/client.ts'
import { eventually } from '../../../test/support/eventually.ts'
import { runStatements } from '../../../test/support/parts/postgres-database.ts'
import { aRandomBlob } from '../../../test/support/content/random.ts'
import { tempFolder } from '../../../test/support/processes/temp-folder.ts'
import { createApp } from '../../app.ts'
import { createPasswordHasher } from '../../identity/passwords/password-hash.ts'
import { configSchema } from '../../config/schema.ts'
import { silentLog } from '../../../test/support/parts/silent-log.ts'
import { StoreMismatchError } from '../pair-store.ts'

/** Returns the URL of a new, empty database on the test server. */
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

async function listTables(url: URL, schema = 'public'): Promise<number> {
  const client = new Client({ connectionString: url.href })
  await client.connect()
  const { rows } = await client.query('select 1 from pg_tables where schemaname = $1', [schema])
  await client.end()
  return rows.length
}

const start = (data: string, url: URL) =>
  createApp(
    configSchema.parse({
      data,
      http: { port: 0 },
      auth: { anonymous: 'push' },
      metadata: { driver: 'postgres', url: url.href },
    }),
    {
      logger: silentLog,
      auth: { passwords: createPasswordHasher({ cost: { memoryKib: 64, passes: 1 } }) },
    },
  )

test('an empty database is refused beside a full store, and stays empty like the store stays full', async () => {
  await using folder = await tempFolder()
  const data = join(folder.path, 'data')
  const [own, other] = [await createDatabase(), await createDatabase()]
  await (await start(data, own))[Symbol.asyncDispose]()
  const before = readdirSync(data, { recursive: true, encoding: 'utf8' }).toSorted()
  await expect(start(data, other)).rejects.toThrow(StoreMismatchError)
  expect(await listTables(other)).toBe(0)
  expect(readdirSync(data, { recursive: true, encoding: 'utf8' }).toSorted()).toEqual(before)
  await (await start(data, own))[Symbol.asyncDispose]()
})

const pushTo = async (url: string): Promise<number> => {
  const { digest, bytes } = aRandomBlob()
  const path = `${url}/v2/acme/web/blobs/uploads/?digest=${digest}`
  return (await ask(path, { method: 'POST', body: bytes })).status
}

/** Waits until all connections of the pool, old and new, refuse pushes. */
const untilRefused = (url: string) =>
  eventually(
    async () => {
      const statuses: number[] = []
      for (let count = 0; count < 12; count += 1) statuses.push(await pushTo(url))
      return statuses
    },
    (statuses) => statuses.every((status) => status === 503),
  )

/** Renames the database, which closes its connections. */
async function rename(url: URL, name: string): Promise<URL> {
  const server = env['LADING_TEST_POSTGRES_URL'] ?? ''
  const from = url.pathname.slice(1)
  // Otherwise clients would reconnect between the two statements.
  await runStatements(
    server,
    `alter database ${from} with allow_connections false;
      select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '${from}'`,
  )
  await runStatements(server, `alter database ${from} rename to ${name}`)
  await runStatements(server, `alter database ${name} with allow_connections true`)
  const renamed = new URL(url)
  renamed.pathname = `/${name}`
  return renamed
}

test('a push is not written to another database that took the name of the right one, and works when that is back', async () => {
  await using folder = await tempFolder()
  const [own, other] = [await createDatabase(), await createDatabase()]
  await (await start(join(folder.path, 'other'), other))[Symbol.asyncDispose]()
  await using app = await start(join(folder.path, 'data'), own)
  const push = () => pushTo(app.url)
  expect(await push()).toBe(201)
  const name = own.pathname.slice(1)
  const away = await rename(own, `${name}_away`)
  const foreign = await rename(other, name)
  // More pushes than the pool has connections.
  for (let count = 0; count < 12; count += 1) expect(await push()).toBe(503)
  expect((await ask(`${app.url}/readyz`)).status).toBe(503)
  await rename(foreign, `${name}_other`)
  await rename(away, name)
  expect(await push()).toBe(201)
})

test('a push over an open connection is not written to the tables of a registry that come to stand before the own ones', async () => {
  await using folder = await tempFolder()
  const own = await createDatabase()
  own.searchParams.set('options', '-c search_path=front,public')
  await using app = await start(join(folder.path, 'data'), own)
  expect(await pushTo(app.url)).toBe(201)
  await runStatements(own.href, 'create schema front')
  const other = new URL(own)
  other.searchParams.set('options', '-c search_path=front')
  await (await start(join(folder.path, 'other'), other))[Symbol.asyncDispose]()
  await untilRefused(app.url)
  await runStatements(own.href, 'drop schema front cascade')
  expect(await pushTo(app.url)).toBe(201)
})

test('a push over an open connection is refused once the database holds another registry in place of the own one', async () => {
  await using folder = await tempFolder()
  const own = await createDatabase()
  await using app = await start(join(folder.path, 'data'), own)
  expect(await pushTo(app.url)).toBe(201)
  await runStatements(
    own.href,
    'alter table installation rename to own; create table installation as select * from own',
  )
  await runStatements(own.href, `update installation set id = 'other'`)
  await untilRefused(app.url)
  await runStatements(own.href, 'drop table installation; alter table own rename to installation')
  expect(await pushTo(app.url)).toBe(201)
})

test('the readiness check notices a database that is emptied under its connections', async () => {
  await using folder = await tempFolder()
  const own = await createDatabase()
  await using app = await start(join(folder.path, 'data'), own)
  await expect(app.metadata.ping()).resolves.toBeUndefined()
  await runStatements(own.href, `update installation set id = 'other'`)
  await expect(app.metadata.ping()).rejects.toThrow('the database of installation other')
})

test("an empty schema that precedes the registry's schema gets no tables", async () => {
  await using folder = await tempFolder()
  const own = await createDatabase()
  own.searchParams.set('options', '-c search_path=front,public')
  const data = join(folder.path, 'data')
  await (await start(data, own))[Symbol.asyncDispose]()
  const before = await listTables(own)
  await runStatements(own.href, 'create schema front')
  await (await start(data, own))[Symbol.asyncDispose]()
  expect(await listTables(own)).toBe(before)
  expect(await listTables(own, 'front')).toBe(0)
})

test('two registries share a database, each in its own schema', async () => {
  await using folder = await tempFolder()
  const first = await createDatabase()
  await (await start(join(folder.path, 'first'), first))[Symbol.asyncDispose]()
  await runStatements(first.href, 'create schema second')
  const second = new URL(first)
  second.searchParams.set('options', '-c search_path=second')
  await (await start(join(folder.path, 'second'), second))[Symbol.asyncDispose]()
  expect(await listTables(second, 'second')).toBe(await listTables(first))
})
