/** Backup and restore of metadata, from SQLite to PostgreSQL and back; a real PostgreSQL passes the whole contract. */
import { afterAll } from 'vitest'
import { systemClock } from '../../../lib/clock.ts'
import { openPgliteMetadata } from '../../contract/open-pglite.ts'
import { postgresRestoreDatabase } from '../restore-metadata.ts'
import { testRoundTrip } from './backup-contract.ts'

// Opening PGlite takes seconds, and so does each megabyte of bytes.
const metadata = await openPgliteMetadata()
const manifestBytes = 10_000

afterAll(() => metadata[Symbol.asyncDispose]())

testRoundTrip(
  () =>
    Promise.resolve({
      file: '',
      restore: postgresRestoreDatabase(metadata, systemClock),
      open: () => Promise.resolve(metadata),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
  manifestBytes,
)
