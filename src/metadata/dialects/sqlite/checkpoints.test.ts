import { readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createTemporaryFolder } from '../../contract/temporary-folder.ts'
import { Checkpoints } from './checkpoints.ts'

async function openFolder() {
  const folder = await createTemporaryFolder()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(async () => {
    vi.useRealTimers()
    await folder[Symbol.asyncDispose]()
  })
  return folder
}

function createDatabase(file: string, sizeBytes: number): DatabaseSync {
  const database = new DatabaseSync(file)
  database.exec(`pragma journal_mode = wal; pragma wal_autocheckpoint = 0;
    create table content as select randomblob(${sizeBytes}) as bytes`)
  return database
}

function aCheckpoints(file: string, inode: bigint) {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  const checkpoints = new Checkpoints({ file, inode, onFatal: resolve, onError: resolve })
  checkpoints.noteCommit()
  return { checkpoints, failure: promise }
}

test('close even if their thread fails', async () => {
  const folder = await openFolder()
  const { checkpoints, failure } = aCheckpoints(join(folder.path, 'missing.db'), 0n)
  vi.runAllTimers()
  await expect(checkpoints[Symbol.asyncDispose]()).resolves.toBeUndefined()
  expect(await failure).toMatchObject({ message: 'unable to open database file' })
})

test('move nothing into another database that replaced the file before their thread started', async () => {
  const folder = await openFolder()
  const [file, other] = [join(folder.path, 'lading.db'), join(folder.path, 'other.db')]
  using _database = createDatabase(file, 6_000_000)
  createDatabase(other, 100_000).close()
  const { ino } = await stat(file, { bigint: true })
  const before = await readFile(other)
  await rename(other, file)
  const { checkpoints, failure } = aCheckpoints(file, ino)
  vi.runAllTimers()
  await checkpoints[Symbol.asyncDispose]()
  expect((await readFile(file)).equals(before)).toBe(true)
  expect(await failure).toMatchObject({ message: `${file} is not the file that the registry opened` })
})
