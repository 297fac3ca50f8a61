/** The signing key of bearer tokens exists before the first login, which may come when the disk is full. */
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startRegistry } from '../support/processes/start-registry.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'

function keysIn(dataDir: string): string[] {
  using database = new DatabaseSync(join(dataDir, 'lading.db'), { readOnly: true })
  return database
    .prepare('select state from signing_key order by state')
    .all()
    .map(({ state }) => String(state))
}

test('is created at the start, and again at a start without an active key', async () => {
  await using folder = await tempFolder('lading-key')
  {
    await using registry = await startRegistry({ dataDir: folder.path })
    expect(keysIn(folder.path)).toEqual(['active'])
    await registry.stop()
  }
  {
    using database = new DatabaseSync(join(folder.path, 'lading.db'))
    database.exec(`update signing_key set state = 'retired', private_key = null, verify_until = 9e15`)
  }
  await using _again = await startRegistry({ dataDir: folder.path })
  expect(keysIn(folder.path)).toEqual(['active', 'retired'])
})

test('is created once when two processes start at the same moment', async () => {
  await using folder = await tempFolder('lading-key')
  {
    // Creates the store and the database of one installation first: two simultaneous first starts are not the subject here.
    await using first = await startRegistry({ dataDir: folder.path })
    await first.stop()
    using database = new DatabaseSync(join(folder.path, 'lading.db'))
    database.exec('delete from signing_key')
  }
  const [one, two] = await Promise.all([
    startRegistry({ dataDir: folder.path }),
    startRegistry({ dataDir: folder.path }),
  ])
  await using _one = one
  await using _two = two
  expect(keysIn(folder.path)).toEqual(['active'])
})
