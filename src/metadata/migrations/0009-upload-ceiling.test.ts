import { DatabaseSync } from 'node:sqlite'
import { PGlite } from '@electric-sql/pglite'
import { expect, test } from 'vitest'
import { initialSchema } from './0001-initial.ts'
import { uploadCeilingSchema } from './0009-upload-ceiling.ts'
import { columnTypes } from './column-types.ts'

const row = `insert into upload
  (id, repository, principal, storage_key, generation, segments, byte_offset, created_at, touched_at)
  values ('u', 'acme/web', 'user:1', 'k', 0, '[]', 0, 5, 6)`
const read = 'select id, principal, holder, touched_at from upload'
const kept = { id: 'u', principal: 'user:1', holder: null, touched_at: 6 }

test('open sessions of a SQLite database stay open and count against no holder', () => {
  using database = new DatabaseSync(':memory:')
  const statements = [...initialSchema(columnTypes.sqlite), row, ...uploadCeilingSchema(columnTypes.sqlite)]
  for (const statement of statements) database.exec(statement)
  expect(database.prepare(read).all()).toMatchObject([kept])
})

test('open sessions of a PostgreSQL database stay open and count against no holder', async () => {
  await using database = new PGlite()
  const statements = [
    ...initialSchema(columnTypes.postgres),
    row,
    ...uploadCeilingSchema(columnTypes.postgres),
  ]
  for (const statement of statements) await database.exec(statement)
  expect((await database.query(read)).rows).toMatchObject([kept])
}, 60_000)
