import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../../../test/support/processes/temp-folder.ts'
import { systemClock } from '../../lib/clock.ts'
import { openPgliteMetadata } from '../contract/open-pglite.ts'
import { findFaults, readDatabaseTime } from './diagnostics.ts'
import { openSqliteMetadata } from '../dialects/sqlite/sqlite.ts'
import { ensureInstallation, findInstallation } from './installation.ts'
import type { Metadata } from '../metadata.ts'
import { migrate, readMigrationState } from '../migrations/migrate.ts'
import { countAllUploads } from '../content/uploads.ts'

async function expectHealthy(metadata: Metadata): Promise<void> {
  expect(await findFaults(metadata.reader)).toEqual([])
  expect(await readMigrationState(metadata.reader)).toMatchObject({
    applied: expect.arrayContaining(['0001-initial']),
    pending: [],
    unknown: [],
  })
  expect(await countAllUploads(metadata.reader)).toBe(0)
  expect(await findInstallation(metadata.reader)).toBeUndefined()
  await metadata.transact((tx) => ensureInstallation(tx, { id: 'one', now: 1 }))
  expect(await findInstallation(metadata.reader)).toBe('one')
}

describe('diagnostics', () => {
  test('check SQLite, also before it has a schema', async () => {
    await using folder = await tempFolder()
    const onFatal = (error: unknown) => {
      throw error
    }
    const file = join(folder.path, 'lading.db')
    await using metadata = await openSqliteMetadata({ file, clock: systemClock, onFatal, upgrade: false })
    const before = await readMigrationState(metadata.reader)
    expect(before).toMatchObject({ applied: [], pending: expect.arrayContaining(['0001-initial']) })
    await metadata.transact((tx) => migrate(tx, 1))
    await expectHealthy(metadata)
    expect(await readDatabaseTime(metadata.reader)).toBeUndefined()
  })

  test('check PostgreSQL and read its clock', async () => {
    await using metadata = await openPgliteMetadata()
    await expectHealthy(metadata)
    const time = await readDatabaseTime(metadata.reader)
    expect(Math.abs((time ?? 0) - Date.now())).toBeLessThan(60_000)
  })
})
