import { renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { eventually } from '../../../../../test/support/eventually.ts'
import { TestTimers } from '../../../../../test/support/parts/test-timers.ts'
import { systemClock } from '../../../../lib/clock.ts'
import type { Timers } from '../../../../lib/timers.ts'
import { aName, createRepository } from '../../../contract/builders.ts'
import { ensureRepository } from '../../../repositories/repositories.ts'
import { createTemporaryFolder } from '../../../contract/temporary-folder.ts'
import { ensureInstallation } from '../../../system/installation.ts'
import type { Metadata } from '../../../metadata.ts'
import { openSqliteMetadata } from '../sqlite.ts'
import { FileWatch } from './file-watch.ts'

async function openWatched(options: { readonly timers?: Timers } = {}) {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  const file = join(folder.path, 'lading.db')
  const fatal: Error[] = []
  const onFatal = (error: Error): void => void fatal.push(error)
  const metadata = stack.use(await openSqliteMetadata({ file, clock: systemClock, onFatal, ...options }))
  const resources = stack.move()
  return { file, metadata, fatal, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

describe('a SQLite database whose file is gone', () => {
  test('acknowledges nothing and is not ready', async () => {
    await using opened = await openWatched()
    const { file, metadata, fatal } = opened
    rmSync(file)
    await eventually(
      () => fatal.length,
      (count) => count > 0,
    )
    await expect(createRepository(metadata, { name: aName() })).rejects.toThrow(/was removed/)
    await expect(metadata.ping()).rejects.toThrow(/was removed/)
    await expect(metadata.flush()).rejects.toThrow(/was removed/)
    expect(fatal).toHaveLength(1)
  })

  test('does not acknowledge a commit made before the loss was noticed', async () => {
    await using opened = await openWatched()
    const { file, metadata, fatal } = opened
    const held = metadata.transact(async (tx) => {
      rmSync(file)
      await ensureRepository(tx, { name: aName(), visibility: 'private', now: 1 })
      while (fatal.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    })
    await expect(held).rejects.toThrow(/was removed/)
  })
})

/** Plain files without a database, and the size that the database would report. */
async function watchFiles(sizeBytes = 0) {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  const file = join(folder.path, 'lading.db')
  for (const suffix of ['', '-wal', '-shm']) writeFileSync(`${file}${suffix}`, 'x'.repeat(100))
  const lost: string[] = []
  const watch = stack.use(
    new FileWatch({
      file,
      readSizeBytes: async () => sizeBytes,
      onLost: ({ message }) => void lost.push(message),
    }),
  )
  await watch.start()
  const resources = stack.move()
  return { file, watch, lost, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

describe('a watch of files', () => {
  test('reports neither a file that grows nor a log that is truncated', async () => {
    await using watched = await watchFiles()
    writeFileSync(watched.file, 'x'.repeat(200))
    truncateSync(`${watched.file}-wal`)
    await watched.watch.look()
    expect(watched.lost).toEqual([])
  })

  test.each(['', '-wal', '-shm'])(
    'reports once that the file with the suffix "%s" was removed',
    async (suffix) => {
      await using watched = await watchFiles()
      rmSync(`${watched.file}${suffix}`)
      await watched.watch.look()
      await watched.watch.look()
      expect(watched.lost).toEqual([expect.stringMatching(new RegExp(`lading.db${suffix} was removed`))])
    },
  )

  test('reports that a file was replaced, also by one with the same bytes', async () => {
    await using watched = await watchFiles()
    writeFileSync(`${watched.file}.new`, 'x'.repeat(100))
    renameSync(`${watched.file}.new`, watched.file)
    await watched.watch.look()
    expect(watched.lost).toEqual([expect.stringMatching(/replaced by another file/)])
  })

  test('reports a file that is smaller than its pages', async () => {
    await using watched = await watchFiles(100)
    truncateSync(watched.file, 50)
    await watched.watch.look()
    expect(watched.lost).toEqual([expect.stringMatching(/cut from 100 to 50 bytes/)])
  })

  test('does not report a file that shrank together with its pages', async () => {
    await using watched = await watchFiles(50)
    truncateSync(watched.file, 50)
    await watched.watch.look()
    expect(watched.lost).toEqual([])
  })

  test('reports nothing after it is disposed, since a close removes the log', async () => {
    await using watched = await watchFiles()
    watched.watch[Symbol.dispose]()
    rmSync(`${watched.file}-wal`)
    await watched.watch.look()
    expect(watched.lost).toEqual([])
  })
})

test('a vacuum by another program is not a loss', async () => {
  const timers = new TestTimers()
  await using opened = await openWatched({ timers })
  const { file, metadata, fatal } = opened
  await metadata.transact(async (tx) => {
    for (let index = 0; index < 300; index++) {
      await ensureRepository(tx, { name: aName(), visibility: 'private', now: 1 })
    }
  })
  const other = new DatabaseSync(file, { timeout: 1_000 })
  other.exec('pragma wal_checkpoint(truncate)')
  const grown = statSync(file).size
  await look(timers)
  other.exec('pragma foreign_keys = off; delete from repository; vacuum; pragma wal_checkpoint(truncate)')
  other.close()
  expect(statSync(file).size).toBeLessThan(grown)
  await look(timers)
  expect(fatal).toEqual([])
  await metadata.ping()
})

describe('a database in SQLite that another program overwrites in place', () => {
  test.each([
    ['the registry of another installation', 'theirs', /holds the registry of installation theirs/],
    ['no registry', undefined, /holds no registry/],
  ])('ends the process for %s', async (_, id, message) => {
    const timers = new TestTimers()
    await using opened = await openWatched({ timers })
    await using other = await openWatched()
    await claim(opened.metadata, 'ours')
    if (id !== undefined) await claim(other.metadata, id)
    opened.metadata.expectInstallation('ours')
    await look(timers)
    expect(opened.fatal).toEqual([])
    if (id === undefined) await overwrite(opened.file, new DatabaseSync(':memory:'))
    else await overwrite(opened.file, new DatabaseSync(other.file))
    timers.advance(1_000)
    await eventually(
      () => opened.fatal.length,
      (count) => count === 1,
    )
    expect(opened.fatal[0]?.message).toMatch(message)
    await expect(createRepository(opened.metadata, { name: aName() })).rejects.toThrow(message)
    await expect(opened.metadata.ping()).rejects.toThrow(message)
  })

  test('goes on when it is a copy of the same installation', async () => {
    const timers = new TestTimers()
    await using opened = await openWatched({ timers })
    await claim(opened.metadata, 'ours')
    opened.metadata.expectInstallation('ours')
    const copy = `${opened.file}-copy`
    using source = new DatabaseSync(opened.file)
    await backup(source, copy)
    await overwrite(opened.file, new DatabaseSync(copy))
    await look(timers)
    expect(opened.fatal).toEqual([])
  })
})

async function claim(metadata: Metadata, id: string): Promise<void> {
  await metadata.transact((tx) => ensureInstallation(tx, { id, now: 1 }))
}

/** Overwrites the file like `.restore` of the sqlite3 tool. */
async function overwrite(file: string, source: DatabaseSync): Promise<void> {
  using database = source
  database.exec('create table if not exists other (a); insert into other values (1)')
  await backup(database, file)
}

/** Runs one check of the files. When it has ended, the timer of the next one is running. */
async function look(timers: TestTimers): Promise<void> {
  timers.advance(1_000)
  expect(timers.size).toBe(0)
  await eventually(
    () => timers.size,
    (size) => size === 1,
  )
}
