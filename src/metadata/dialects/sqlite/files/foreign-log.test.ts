/** Tests a log next to a database that it does not belong to. */
import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../../../lib/clock.ts'
import { aName, createRepository, numbers } from '../../../contract/builders.ts'
import { createTemporaryFolder } from '../../../contract/temporary-folder.ts'
import { MetadataUnavailable } from '../../../errors.ts'
import { ensureInstallation } from '../../../system/installation.ts'
import { findRepository } from '../../../repositories/repositories.ts'
import { openSqliteMetadata } from '../sqlite.ts'

const open = (file: string) =>
  openSqliteMetadata({
    file,
    clock: systemClock,
    onFatal: (error) => {
      throw error
    },
  })

/** Creates a database and its log as a killed process leaves them, and a much older copy of the database. */
async function crash(folder: string) {
  const live = join(folder, 'live.db')
  const old = join(folder, 'old.db')
  {
    await using metadata = await open(live)
    await createRepository(metadata, { name: aName() })
  }
  await copyFile(live, old)
  {
    await using metadata = await open(live)
    for (const _ of numbers(400)) await createRepository(metadata, { name: aName() })
  }
  await using metadata = await open(live)
  const last = aName()
  await createRepository(metadata, { name: last })
  const file = join(folder, 'lading.db')
  for (const suffix of ['', '-wal']) await copyFile(`${live}${suffix}`, `${file}${suffix}`)
  return { file, old, last }
}

test('a database opens with the log that a crash left beside it', async () => {
  await using folder = await createTemporaryFolder()
  const { file, last } = await crash(folder.path)
  await using metadata = await open(file)
  expect(await findRepository(metadata.reader, last)).toBeDefined()
})

test('an older copy of a database is refused beside a newer log, and both stay as they are', async () => {
  await using folder = await createTemporaryFolder()
  const { file, old } = await crash(folder.path)
  await copyFile(old, file)
  const read = () => Promise.all([readFile(file), readFile(`${file}-wal`)])
  const before = await read()
  await expect(open(file)).rejects.toThrow(MetadataUnavailable)
  await expect(open(file)).rejects.toThrow(
    /do not belong together or are damaged .* put both original files back/,
  )
  const after = await read()
  expect(after.map((bytes, index) => bytes.equals(before[index]!))).toEqual([true, true])
})

test('the log of another installation is refused beside a whole database, and both stay as they are', async () => {
  await using folder = await createTemporaryFolder()
  const [file, other] = [join(folder.path, 'lading.db'), join(folder.path, 'other.db')]
  {
    await using metadata = await open(file)
    await metadata.transact((tx) => ensureInstallation(tx, { id: 'ours', now: 1 }))
  }
  await using metadata = await open(other)
  await metadata.transact((tx) => ensureInstallation(tx, { id: 'theirs', now: 1 }))
  await copyFile(`${other}-wal`, `${file}-wal`)
  const read = () => Promise.all([readFile(file), readFile(`${file}-wal`)])
  const before = await read()
  await expect(open(file)).rejects.toThrow(/the log belongs to another installation/)
  const after = await read()
  expect(after.map((bytes, index) => bytes.equals(before[index]!))).toEqual([true, true])
})

test('a log that cannot be read is not called foreign', async () => {
  await using folder = await createTemporaryFolder()
  const { file } = await crash(folder.path)
  // A folder in its place keeps the shared index from being created.
  await mkdir(`${file}-shm`)
  await expect(open(file)).rejects.toThrow(MetadataUnavailable)
  await expect(open(file)).rejects.not.toThrow(/do not belong/)
})
