/** Tests the inspection of a database before its upgrade, on PostgreSQL; `contract/` tests the result on a real server. */
import { PGlite } from '@electric-sql/pglite'
import { PGliteDialect } from 'kysely'
import { expect, test } from 'vitest'
import { systemClock } from '../lib/clock.ts'
import { createPostgresMetadata } from '../metadata/dialects/postgres/postgres-metadata.ts'
import { integerTypeIds, parseSafeInteger } from '../metadata/dialects/safe-integer.ts'
import { readDatabase } from './open-parts.ts'
import { judgePairing, StoreMismatchError } from './pair-store.ts'

test('an empty PostgreSQL database beside a full store is refused before its upgrade', async () => {
  const parsers = Object.fromEntries(integerTypeIds.map((id) => [id, parseSafeInteger]))
  // The driver closes it when opening fails.
  const pglite = await PGlite.create({ parsers })
  const store = { place: './data/store', installationId: 'b', isEmpty: false }
  const opening = createPostgresMetadata({
    dialect: new PGliteDialect({ pglite }),
    clock: systemClock,
    inspect: async (db) => {
      judgePairing({ place: 'of metadata.url', ...(await readDatabase(db)) }, store, false)
    },
  })
  await expect(opening).rejects.toThrow(StoreMismatchError)
  await expect(opening).rejects.toThrow('the database of metadata.url is missing or empty')
}, 60_000)
