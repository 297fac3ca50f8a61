import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../../lib/clock.ts'
import { aManifest, aName, createRepository, numbers, pushManifest, unique } from '../../contract/builders.ts'
import { createTemporaryFolder } from '../../contract/temporary-folder.ts'
import { MetadataFull, MetadataTooNew, MetadataUnavailable } from '../../errors.ts'
import { acquireLease } from '../../system/leases.ts'
import { findManifest, insertManifest } from '../../content/manifests.ts'
import type { Transaction } from '../../handles.ts'
import type { Metadata } from '../../metadata.ts'
import { ensureRepository, findRepository } from '../../repositories/repositories.ts'
import { kyselyOf } from '../../sql/database.ts'
import { openSqliteMetadata } from './sqlite.ts'

function open(file: string): Promise<Metadata> {
  return openSqliteMetadata({
    file,
    clock: systemClock,
    onFatal: (error) => {
      throw error
    },
  })
}

async function writeInProcess(file: string, counter: string, times: number): Promise<string> {
  const script = fileURLToPath(new URL('../../contract/write-in-process.ts', import.meta.url))
  const child = spawn(execPath, [script, file, counter, String(times)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const [code] = await once(child, 'close')
  return code === 0 ? 'ok' : `code ${code}: ${errors}`
}

describe('metadata in SQLite', () => {
  test('creates its folder and keeps what was committed', async () => {
    await using folder = await createTemporaryFolder()
    const file = join(folder.path, 'new', 'lading.db')
    const name = aName()
    {
      await using metadata = await open(file)
      await createRepository(metadata, { name })
    }
    await using again = await open(file)
    expect(await findRepository(again.reader, name)).toBeDefined()
  })

  test('keeps a log beside an empty file, and a log without a file', async () => {
    await using folder = await createTemporaryFolder()
    const file = join(folder.path, 'lading.db')
    await writeFile(`${file}-wal`, 'the last writes')
    await writeFile(file, '')
    await expect(open(file)).rejects.toThrow('missing or empty, but its log')
    expect(await readFile(`${file}-wal`, 'utf8')).toBe('the last writes')
  })

  test('opens the target of a link, and keeps a log beside an empty target', async () => {
    await using folder = await createTemporaryFolder()
    const [link, file] = [join(folder.path, 'lading.db'), join(folder.path, 'elsewhere', 'lading.db')]
    const name = aName()
    {
      await using metadata = await open(file)
      await createRepository(metadata, { name })
    }
    await symlink(file, link)
    {
      await using metadata = await open(link)
      expect(await findRepository(metadata.reader, name)).toBeDefined()
      await metadata.ping()
    }
    await writeFile(`${file}-wal`, 'the last writes')
    await writeFile(file, '')
    await expect(open(link)).rejects.toThrow(MetadataUnavailable)
    expect(await readFile(`${file}-wal`, 'utf8')).toBe('the last writes')
  })

  test('reads in the same turn of the event loop what it has just committed', async () => {
    await using folder = await createTemporaryFolder()
    await using metadata = await open(join(folder.path, 'lading.db'))
    const name = aName()
    const write = async (tx: Transaction): Promise<void> => {
      await ensureRepository(tx, { name, visibility: 'private', now: 1 })
      expect(await findRepository(metadata.reader, name)).toBeUndefined()
    }
    await metadata.transact(write, { durable: false })
    expect(await findRepository(metadata.reader, name)).toBeDefined()
  })

  test('reads what another process committed in the next turn of the event loop', async () => {
    await using folder = await createTemporaryFolder()
    const file = join(folder.path, 'lading.db')
    await using metadata = await open(file)
    await using other = await open(file)
    const name = aName()
    expect(await findRepository(metadata.reader, name)).toBeUndefined()
    await createRepository(other, { name })
    await nextTurn()
    expect(await findRepository(metadata.reader, name)).toBeDefined()
  })

  test('G1: creates files that only their owner can read', async () => {
    await using folder = await createTemporaryFolder()
    const file = join(folder.path, 'new', 'lading.db')
    await using metadata = await open(file)
    await createRepository(metadata)
    const modes = [join(folder.path, 'new'), file, `${file}-wal`, `${file}-shm`].map(async (path) => {
      return ((await stat(path)).mode & 0o777).toString(8)
    })
    expect(await Promise.all(modes)).toEqual(['700', '600', '600', '600'])
  })

  test('leaves a single file when the last process closes it', async () => {
    await using folder = await createTemporaryFolder()
    const metadata = await open(join(folder.path, 'lading.db'))
    await createRepository(metadata)
    await metadata[Symbol.asyncDispose]()
    await metadata[Symbol.asyncDispose]()
    expect(await readdir(folder.path)).toEqual(['lading.db'])
  })

  test('finishes queued transactions before it closes, and refuses later ones', async () => {
    await using folder = await createTemporaryFolder()
    const file = join(folder.path, 'lading.db')
    const metadata = await open(file)
    const names = numbers(20).map(() => aName())
    const queued = names.map((name) => createRepository(metadata, { name }))
    await queued[0]
    const closed = metadata[Symbol.asyncDispose]()
    const late = createRepository(metadata)
    await expect(late).rejects.toBeInstanceOf(MetadataUnavailable)
    await expect(metadata.ping()).rejects.toBeInstanceOf(MetadataUnavailable)
    await closed
    await Promise.all(queued)
    await using again = await open(file)
    for (const name of names) expect(await findRepository(again.reader, name)).toBeDefined()
  })

  test('shows readers nothing of a transaction that has not ended', async () => {
    await using folder = await createTemporaryFolder()
    await using metadata = await open(join(folder.path, 'lading.db'))
    const name = aName()
    await metadata.transact(async (tx) => {
      await ensureRepository(tx, { name, visibility: 'public', now: 1 })
      expect(await findRepository(metadata.reader, name)).toBeUndefined()
    })
    expect(await findRepository(metadata.reader, name)).toBeDefined()
  })

  test('refuses writes through the reader', async () => {
    await using folder = await createTemporaryFolder()
    await using metadata = await open(join(folder.path, 'lading.db'))
    const write = sql`delete from tag where repository_id = 1`.execute(kyselyOf(metadata.reader))
    await expect(write).rejects.toBeInstanceOf(MetadataUnavailable)
  })

  test('loses no update of three processes that write at the same time', async () => {
    await using folder = await createTemporaryFolder()
    const file = join(folder.path, 'lading.db')
    const name = unique('counter')
    await using metadata = await open(file)
    const children = [writeInProcess(file, name, 300), writeInProcess(file, name, 300)]
    for (const _ of numbers(300)) {
      await metadata.transact((tx) => acquireLease(tx, { name, holder: 'all', now: 1, ttlMs: 1 }))
    }
    expect(await Promise.all(children)).toEqual(['ok', 'ok'])
    const last = await metadata.transact((tx) => acquireLease(tx, { name, holder: 'all', now: 1, ttlMs: 1 }))
    expect(last).toEqual({ generation: 901 })
  })

  test('lets several processes create one database', async () => {
    await using folder = await createTemporaryFolder()
    const file = join(folder.path, 'lading.db')
    const outcomes = await Promise.all(numbers(3).map(() => writeInProcess(file, 'together', 10)))
    expect(outcomes).toEqual(['ok', 'ok', 'ok'])
  })

  test('stays usable when the disk is full', async () => {
    await using folder = await createTemporaryFolder()
    await using metadata = await open(join(folder.path, 'lading.db'))
    const repository = await createRepository(metadata)
    const kept = await pushManifest(metadata, repository)
    await metadata.transact(async (tx) => {
      const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(kyselyOf(tx))
      await sql`pragma max_page_count = ${sql.lit((rows[0]?.page_count ?? 0) + 10)}`.execute(kyselyOf(tx))
    })
    const big = aManifest(repository, { bytes: new Uint8Array(1024 * 1024) })
    await expect(metadata.transact((tx) => insertManifest(tx, big))).rejects.toBeInstanceOf(MetadataFull)
    const find = (digest: typeof big.digest) =>
      findManifest(metadata.reader, repository.name, { kind: 'digest', digest })
    expect(await find(kept.digest)).toBeDefined()
    expect(await find(big.digest)).toBeUndefined()
    const small = await pushManifest(metadata, repository)
    expect(await find(small.digest)).toBeDefined()
    await metadata.transact((tx) => sql`pragma max_page_count = 4294967294`.execute(kyselyOf(tx)))
    await metadata.transact((tx) => insertManifest(tx, big))
    expect(await find(big.digest)).toBeDefined()
  })

  test('refuses a database of a newer version and does not change it', async () => {
    await using folder = await createTemporaryFolder()
    const file = join(folder.path, 'lading.db')
    {
      await using metadata = await open(file)
      await metadata.transact((tx) =>
        kyselyOf(tx).insertInto('schema_migration').values({ name: '9999-future', applied_at: 1 }).execute(),
      )
    }
    await expect(open(file)).rejects.toBeInstanceOf(MetadataTooNew)
    expect(await readdir(folder.path)).toEqual(['lading.db'])
  })

  test('throws MetadataUnavailable if the file is not a database', async () => {
    await using folder = await createTemporaryFolder()
    await expect(open(folder.path)).rejects.toBeInstanceOf(MetadataUnavailable)
  })

  test('moves a grown log into the database file, off the writing thread', async () => {
    await using folder = await createTemporaryFolder()
    const file = join(folder.path, 'lading.db')
    await using metadata = await open(file)
    const repository = await createRepository(metadata)
    const before = (await stat(file)).size
    const bytes = new Uint8Array(8 * 1024 * 1024)
    await pushManifest(metadata, repository, { bytes })
    // Each commit requests a checkpoint, so the loop needs no clock.
    while ((await stat(file)).size < before + bytes.byteLength) await metadata.transact(async () => undefined)
    expect(await findRepository(metadata.reader, repository.name)).toBeDefined()
  })

  test('restarts a log off the writing thread, since the first write into it syncs', async () => {
    await using folder = await createTemporaryFolder()
    const file = join(folder.path, 'lading.db')
    await using metadata = await open(file)
    const repository = await createRepository(metadata)
    // The header of the log counts its restarts: https://www.sqlite.org/walformat.html.
    const readRound = async () => (await readFile(`${file}-wal`)).readUInt32BE(12)
    const before = await readRound()
    await pushManifest(metadata, repository, { bytes: new Uint8Array(8 * 1024 * 1024) })
    // These transactions write nothing, so the other thread restarts the log.
    while ((await readRound()) === before) await metadata.transact(async () => undefined)
    expect(await readRound()).toBe(before + 1)
  })
})
