/** A database and a store that do not belong together: the program refuses to start and changes nothing. */
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createApp } from '../../src/app.ts'
import { createPasswordHasher } from '../../src/identity/passwords/password-hash.ts'
import { configSchema } from '../../src/config/schema.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { pushBlob } from '../support/content/manifests.ts'
import { aRandomBlob } from '../support/content/random.ts'
import { runLading } from '../support/processes/run-lading.ts'
import { startRegistry } from '../support/processes/start-registry.ts'
import { queryRows } from '../support/processes/stopped-data.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'

/** Returns every file below a folder with the digest of its bytes. */
function digestFiles(root: string): Readonly<Record<string, string>> {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((name) => join(root, name))
    .filter((path) => statSync(path).isFile())
  return Object.fromEntries(
    files.map((path) => [
      path.slice(root.length),
      createHash('sha256').update(readFileSync(path)).digest('hex'),
    ]),
  )
}

async function push(url: string): Promise<string> {
  const blob = aRandomBlob(1_000)
  await pushBlob(`${url}/v2/acme/web`, blob)
  return blob.digest
}

async function hasBlob(url: string, digest: string): Promise<boolean> {
  return (await fetch(`${url}/v2/acme/web/blobs/${digest}`)).ok
}

interface Start {
  readonly dataDir: string
  readonly adoptStore?: boolean
  readonly driver?: 'filesystem' | 'memory'
}

/** Starts inside this process: `lading serve` in its own process takes seconds on a busy machine. */
async function start({ dataDir, adoptStore = false, driver = 'filesystem' }: Start) {
  const log: string[] = []
  const config = configSchema.parse({
    data: dataDir,
    http: { port: 0 },
    auth: { anonymous: 'push' },
    storage: { driver },
  })
  const app = await createApp(config, {
    logger: createLogger({ level: 'warn', destination: { write: (line) => void log.push(line) } }),
    auth: { passwords: createPasswordHasher({ cost: { memoryKib: 64, passes: 1 } }) },
    adoptStore,
  })
  return { app, url: app.url, log, [Symbol.asyncDispose]: () => app[Symbol.asyncDispose]() }
}

/** Makes the data folder of a stopped registry, with blobs that are years old. */
async function filledFolder() {
  const folder = await tempFolder('lading-pairing')
  const dataDir = join(folder.path, 'data')
  const digests: string[] = []
  {
    await using registry = await start({ dataDir })
    for (let index = 0; index < 3; index++) digests.push(await push(registry.url))
  }
  const store = join(dataDir, 'store')
  for (const path of Object.keys(digestFiles(store)))
    utimesSync(join(store, path), 1_000_000_000, 1_000_000_000)
  const database = join(dataDir, 'lading.db')
  return { dataDir, store, database, digests, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

/** Returns the error message of a start. */
async function refusal(options: Start): Promise<string> {
  try {
    await using registry = await start(options)
    return `it listens on ${registry.url}`
  } catch (error) {
    return String(error)
  }
}

/** Like `refusal`, but for `lading serve` in its own process. */
async function serveRefusal(dataDir: string): Promise<string> {
  try {
    await using registry = await startRegistry({ dataDir })
    return `it listens on ${registry.url}`
  } catch (error) {
    return String(error)
  }
}

function removeDatabase(database: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${database}${suffix}`, { force: true })
}

describe('a start with a database that does not belong to the store', () => {
  test('is refused when the database file is missing, and leaves every byte in place', async () => {
    await using filled = await filledFolder()
    removeDatabase(filled.database)
    rmSync(join(filled.dataDir, 'admin-password'))
    const before = digestFiles(filled.dataDir)
    const said = await serveRefusal(filled.dataDir)
    expect(said).toContain(
      `the database ${filled.database} is missing or empty, but the blob store ${filled.store} belongs to`,
    )
    expect(said).toContain('lading restore')
    expect(said).toContain('--adopt-store')
    expect(digestFiles(filled.dataDir)).toEqual(before)
    expect(existsSync(filled.database)).toBe(false)
  })

  test('is refused when the database file is empty, and leaves every byte in place', async () => {
    await using filled = await filledFolder()
    truncateSync(filled.database)
    const before = digestFiles(filled.dataDir)
    expect(await serveRefusal(filled.dataDir)).toContain('--adopt-store')
    expect(digestFiles(filled.dataDir)).toEqual(before)
    expect(statSync(filled.database).size).toBe(0)
  })

  test('is refused when the database has tables and no installation', async () => {
    await using filled = await filledFolder()
    removeDatabase(filled.database)
    await runLading(`migrate --data ${filled.dataDir}`)
    const before = digestFiles(filled.store)
    expect(await refusal({ dataDir: filled.dataDir })).toContain('is missing or empty, but the blob store')
    expect(digestFiles(filled.store)).toEqual(before)
  })

  test('is refused when the volume of the store is not mounted', async () => {
    await using filled = await filledFolder()
    rmSync(filled.store, { recursive: true })
    const said = await refusal({ dataDir: filled.dataDir })
    expect(said).toContain('names blobs, but the blob store')
    expect(said).toContain('Mount the volume')
    expect(existsSync(filled.store)).toBe(false)
  })

  test('leaves the empty mount point of a store empty when it is refused, like backup and restore', async () => {
    await using filled = await filledFolder()
    const backup = join(filled.dataDir, 'backup')
    expect(await runLading(`backup ${backup} --data ${filled.dataDir}`)).toMatchObject({ code: 0 })
    rmSync(filled.store, { recursive: true })
    mkdirSync(filled.store)
    expect(await refusal({ dataDir: filled.dataDir })).toContain('names blobs, but the blob store')
    expect(readdirSync(filled.store)).toEqual([])
    const backedUp = await runLading(`backup ${backup} --data ${filled.dataDir}`)
    expect(backedUp).toMatchObject({ code: 1 })
    expect(backedUp.err).toContain('there is no blob store in')
    expect(readdirSync(filled.store)).toEqual([])
    const restored = await runLading(`restore ${backup} --database-only --data ${filled.dataDir}`)
    expect(restored).toMatchObject({ code: 1 })
    expect(restored.err).toContain('the data folder has no store for the database')
    expect(readdirSync(filled.store)).toEqual([])
  })

  test('is refused with a store in memory, which lacks the blobs', async () => {
    await using filled = await filledFolder()
    const memory = { dataDir: filled.dataDir, driver: 'memory' } as const
    expect(await refusal(memory)).toContain('names blobs that a store in memory does not have')
    removeDatabase(filled.database)
    expect(await refusal(memory)).toContain('would hide it from its database')
  })

  test('succeeds with --adopt-store, which keeps every blob, and the former database is then refused', async () => {
    await using filled = await filledFolder()
    const saved = readFileSync(filled.database)
    removeDatabase(filled.database)
    const blobs = digestFiles(join(filled.store, 'blobs'))
    const former = readFileSync(join(filled.store, 'installation'), 'utf8').trim()
    // A clock that is behind sees the bytes of the store in its future.
    const ahead = Date.now() + 30 * 86_400_000
    const [blob = ''] = Object.keys(blobs)
    utimesSync(join(filled.store, 'blobs', blob), ahead / 1_000, ahead / 1_000)
    {
      await using adopted = await start({ dataDir: filled.dataDir, adoptStore: true })
      expect(adopted.log.join()).toContain('takes over the store')
      expect(await hasBlob(adopted.url, await push(adopted.url))).toBe(true)
    }
    {
      await using again = await start({ dataDir: filled.dataDir, adoptStore: true })
      expect(again.log.join()).toContain('remove --adopt-store')
      expect(await hasBlob(again.url, filled.digests[0] ?? '')).toBe(false)
    }
    expect(digestFiles(join(filled.store, 'blobs'))).toMatchObject(blobs)
    const [row] = queryRows(filled.dataDir, 'select judges_since as since from installation')
    expect(row?.['since']).toBeGreaterThan(ahead)
    removeDatabase(filled.database)
    writeFileSync(filled.database, saved)
    expect(await refusal({ dataDir: filled.dataDir })).toContain(
      `belongs to installation ${former}, but the blob store`,
    )
  })
})

test('a store of the same installation that lost its blobs is accepted with --adopt-store, which the error suggests', async () => {
  await using filled = await filledFolder()
  rmSync(join(filled.store, 'blobs'), { recursive: true })
  expect(await refusal({ dataDir: filled.dataDir })).toContain('start once with lading serve --adopt-store')
  await using adopted = await start({ dataDir: filled.dataDir, adoptStore: true })
  expect(adopted.log.join()).toContain('keeps its empty store')
  expect(adopted.log.join()).not.toContain('remove --adopt-store')
  const { json } = await runLading('audit search --action store.adopt --json', {
    env: { LADING_DATA: filled.dataDir },
  })
  expect(json()).toMatchObject([{ outcome: 'done', actor: { id: 'operator', name: userInfo().username } }])
})

test('a first start that was interrupted before the store had its id is completed by the next', async () => {
  await using folder = await tempFolder('lading-pairing')
  const dataDir = join(folder.path, 'data')
  {
    await using _registry = await start({ dataDir })
  }
  rmSync(join(dataDir, 'store', 'installation'))
  await using registry = await start({ dataDir })
  expect(await hasBlob(registry.url, await push(registry.url))).toBe(true)
  expect(existsSync(join(dataDir, 'store', 'installation'))).toBe(true)
})
