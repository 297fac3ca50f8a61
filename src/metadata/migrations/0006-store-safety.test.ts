import { DatabaseSync } from 'node:sqlite'
import { PGlite } from '@electric-sql/pglite'
import { expect, test } from 'vitest'
import { initialSchema } from './0001-initial.ts'
import { storeSafetySchema } from './0006-store-safety.ts'
import { columnTypes } from './column-types.ts'

const rows = [
  "insert into installation (singleton, id, created_at) values (1, 'mine', 77)",
  "insert into dead_key (storage_key, since) values ('k', 5)",
]
const installation = 'select judges_since, accepted_at from installation'
const deadKey = 'select attempts, retry_at from dead_key'

test('a SQLite database judges its store from its own creation on', () => {
  using database = new DatabaseSync(':memory:')
  const statements = [...initialSchema(columnTypes.sqlite), ...rows, ...storeSafetySchema(columnTypes.sqlite)]
  for (const statement of statements) database.exec(statement)
  expect(database.prepare(installation).get()).toMatchObject({ judges_since: 77, accepted_at: null })
  expect(database.prepare(deadKey).get()).toMatchObject({ attempts: 0, retry_at: 0 })
})

test('a PostgreSQL database judges its store from its own creation on', async () => {
  await using database = new PGlite()
  const statements = [
    ...initialSchema(columnTypes.postgres),
    ...rows,
    ...storeSafetySchema(columnTypes.postgres),
  ]
  for (const statement of statements) await database.exec(statement)
  expect((await database.query(installation)).rows).toMatchObject([{ judges_since: 77, accepted_at: null }])
  expect((await database.query(deadKey)).rows).toMatchObject([{ attempts: 0, retry_at: 0 }])
}, 60_000)
