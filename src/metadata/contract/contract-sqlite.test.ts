/** Runs the contract on SQLite, then checks the query plan of every statement that it prepared. */
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { systemClock } from '../../lib/clock.ts'
import { openSqliteMetadata } from '../dialects/sqlite/sqlite.ts'
import { describeMetadataContract } from './system/metadata-contract.ts'
import { createTemporaryFolder } from './temporary-folder.ts'

const folder = await createTemporaryFolder()
const file = join(folder.path, 'lading.db')
afterAll(() => folder[Symbol.asyncDispose]())

const prepared = new Set<string>()
const { prototype } = DatabaseSync
const prepare = Object.getOwnPropertyDescriptor(prototype, 'prepare')?.value as DatabaseSync['prepare']
prototype.prepare = function (this: DatabaseSync, sql, ...rest) {
  prepared.add(sql)
  return prepare.call(this, sql, ...rest)
}
afterAll(() => {
  prototype.prepare = prepare
})

// A walk along an index, in the order of the list, that ends at its limit.
const limitedWalk =
  /^SCAN (?:dead_key USING (?:COVERING )?INDEX dead_key_since|audit_event USING (?:COVERING )?INDEX audit_event_at)$/
// Rows that a subquery found with an index, or given values.
const givenRows = String.raw`json_each |\d+-ROW VALUES|CONSTANT ROW|(?:link|following|first|own|open|asked)$`
const readsOrSortsATable = new RegExp(`^(?:SCAN (?!${givenRows})|USE TEMP B-TREE)`)
const planned = /^\s*(?:select|insert|update|delete)\b/i

describeMetadataContract('metadata in SQLite', () =>
  openSqliteMetadata({
    file,
    clock: systemClock,
    onFatal: (error) => {
      throw error
    },
  }),
)

function plan(database: DatabaseSync, sql: string): string[] {
  return database
    .prepare(`explain query plan ${sql}`)
    .all()
    .map((step) => String(step['detail']))
}

test('no statement of the contract reads or sorts a whole table', () => {
  // Upgrades read the rows that they move, and their own few rows, only when the database is opened.
  const isOfUpgrades = (sql: string) => /schema_migration|login_event/.test(sql)
  const asked = [...prepared].filter((sql) => planned.test(sql) && !isOfUpgrades(sql))
  expect(asked.length).toBeGreaterThan(50)
  using database = new DatabaseSync(file, { readOnly: true })
  const scans = asked.flatMap((sql) =>
    plan(database, sql)
      .filter((detail) => readsOrSortsATable.test(detail) && !limitedWalk.test(detail))
      .map((detail) => `${detail}: ${sql.slice(0, 300)}`),
  )
  expect(scans).toEqual([])
})

test('B1: the search for a mount source does not start with all links of the digest', () => {
  const asked = [...prepared].filter((sql) => /^select "(?:link|blob_link)"\."digest".*"owner"/.test(sql))
  expect(asked).toHaveLength(3)
  using database = new DatabaseSync(file, { readOnly: true })
  const steps = asked.flatMap((sql) => plan(database, sql))
  expect(steps.filter((detail) => detail.includes('blob_link_digest (digest=?)'))).toEqual([])
  expect(steps).toContain('SEARCH blob_link USING INDEX blob_link_digest (digest>?)')
})

test('expiry finds sessions without a byte directly, however many sessions have bytes', () => {
  const asked = [...prepared].filter((sql) =>
    /^select .* from "upload" where "touched_at" < .*"byte_offset" = 0/.test(sql),
  )
  expect(asked).toHaveLength(1)
  using database = new DatabaseSync(file, { readOnly: true })
  expect(asked.flatMap((sql) => plan(database, sql))).toEqual([
    'SEARCH upload USING INDEX upload_empty (touched_at<?)',
  ])
})
