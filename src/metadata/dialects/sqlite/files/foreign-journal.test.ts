/** Tests a rollback journal next to a database that it does not belong to. */
import { copyFile, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { systemClock } from '../../../../lib/clock.ts'
import { aName, createRepository, numbers } from '../../../contract/builders.ts'
import { createTemporaryFolder } from '../../../contract/temporary-folder.ts'
import { MetadataUnavailable } from '../../../errors.ts'
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

/** Returns the journal that another program leaves when it is killed inside a transaction: complete on disk. */
async function copyJournal(file: string, statements: string): Promise<string> {
  const copy = `${file}.copy`
  await copyFile(file, copy)
  using database = new DatabaseSync(copy)
  // A cache that is too small makes SQLite write before the commit.
  database.exec(`pragma journal_mode = delete; pragma cache_size = 1; begin; ${statements}`)
  const journal = `${file}.kept`
  await copyFile(`${copy}-journal`, journal)
  database.exec('rollback')
  return journal
}

test('a journal that would roll the database back is refused, and nothing is changed', async () => {
  await using folder = await createTemporaryFolder()
  const file = join(folder.path, 'lading.db')
  {
    await using metadata = await open(file)
    for (const _ of numbers(200)) await createRepository(metadata, { name: aName() })
  }
  const many =
    'update repository set created_at = 1; create table more (x); insert into more select zeroblob(9000) from repository'
  const journal = await copyJournal(file, many)
  const name = aName()
  {
    await using metadata = await open(file)
    for (const _ of numbers(100)) await createRepository(metadata, { name: aName() })
    await createRepository(metadata, { name })
  }
  await copyFile(journal, `${file}-journal`)
  const before = await readFile(file)
  await expect(open(file)).rejects.toThrow(MetadataUnavailable)
  await expect(open(file)).rejects.toThrow('move the journal away; nothing was changed')
  expect((await readFile(file)).equals(before)).toBe(true)
  expect((await stat(`${file}-journal`)).size).toBeGreaterThan(0)
})

test('a journal with one page, from a database that was empty, does not empty a full one', async () => {
  await using folder = await createTemporaryFolder()
  const file = join(folder.path, 'lading.db')
  {
    await using metadata = await open(file)
    await createRepository(metadata, { name: aName() })
  }
  const header = Buffer.alloc(512)
  Buffer.from('d9d505f920a163d7', 'hex').copy(header)
  header.writeUInt32BE(512, 20)
  header.writeUInt32BE(4096, 24)
  await writeFile(`${file}-journal`, header)
  await expect(open(file)).rejects.toThrow('move the journal away')
})

test('a journal from the switch to the log is played back', async () => {
  await using folder = await createTemporaryFolder()
  const file = join(folder.path, 'lading.db')
  const name = aName()
  {
    await using metadata = await open(file)
    await createRepository(metadata, { name })
  }
  using database = new DatabaseSync(file)
  database.exec('pragma journal_mode = delete')
  database.close()
  const journal = await copyJournal(file, 'pragma user_version = 7')
  await copyFile(journal, `${file}-journal`)
  await using metadata = await open(file)
  expect(await findRepository(metadata.reader, name)).toBeDefined()
})
