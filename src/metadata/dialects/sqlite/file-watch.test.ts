import { renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { eventually } from '../../../../test/support/eventually.ts'
import { TestTimers } from '../../../../test/support/test-timers.ts'
import { systemClock } from '../../../lib/clock.ts'
import type { Timers } from '../../../lib/timers.ts'
import { aName, createRepository } from '../../contract/builders.ts'
import { ensureRepository } from '../../repositories/repositories.ts'
import { createTemporaryFolder } from '../../contract/temporary-folder.ts'
import { openSqliteMetadata } from './sqlite.ts'
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

/** Runs one check of the files. When it has ended, the timer of the next check is running. */
async function look(timers: TestTimers): Promise<void> {
  timers.advance(1_000)
  expect(timers.size).toBe(0)
  await eventually(
    () => timers.size,
    (size) => size === 1,
  )
}
