/** PostgreSQL inside this process, for tests. Everything but the connection is shared with the real driver. */
import { PGlite } from '@electric-sql/pglite'
import { PGliteDialect } from 'kysely'
import { systemClock } from '../../lib/clock.ts'
import { createPostgresMetadata } from '../dialects/postgres/postgres-metadata.ts'
import { integerTypeIds, parseSafeInteger } from '../dialects/safe-integer.ts'
import type { Metadata } from '../metadata.ts'

/**
 * Opens PGlite, which takes about three seconds: open one per test file. It has one connection, so transactions never
 * overlap.
 */
export async function openPgliteMetadata(): Promise<Metadata> {
  const parsers = Object.fromEntries(integerTypeIds.map((id) => [id, parseSafeInteger]))
  const pglite = await PGlite.create({ parsers })
  return createPostgresMetadata({ dialect: new PGliteDialect({ pglite }), clock: systemClock })
}
