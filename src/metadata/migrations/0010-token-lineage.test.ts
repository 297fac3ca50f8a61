import { DatabaseSync } from 'node:sqlite'
import { PGlite } from '@electric-sql/pglite'
import { expect, test } from 'vitest'
import { initialSchema } from './0001-initial.ts'
import { identitySchema } from './0002-identity.ts'
import { rightsSchema } from './0003-rights.ts'
import { credentialsSchema } from './0004-credentials.ts'
import { tokenLineageSchema } from './0010-token-lineage.ts'
import { columnTypes } from './column-types.ts'

const before = [initialSchema, identitySchema, rightsSchema, credentialsSchema]

const rows = [
  `insert into account (name, password_hash, is_admin, disabled, credential_version, created_at, password_set_at)
    values ('bob', 'x', 0, 0, 1, 1, 1)`,
  `insert into access_token (account_id, name, token_hash, hint, created_at, created_by, expires_at) values
    (1, 'ci', 'a', 'x', 10, 'operator', 100), (1, 'ci', 'b', 'x', 10, 'operator', null)`,
]

const read = 'select lifetime_ms, first_id from access_token order by id'
const known = [
  { lifetime_ms: 90, first_id: null },
  { lifetime_ms: null, first_id: null },
]

test('derives the lifetime of a token from its end on SQLite', () => {
  using database = new DatabaseSync(':memory:')
  const types = columnTypes.sqlite
  const made = before.flatMap((migration) => migration(types))
  for (const statement of [...made, ...rows, ...tokenLineageSchema(types)]) database.exec(statement)
  const found = database.prepare(read).all()
  expect(found.map((row) => ({ ...row }))).toEqual(known)
})

test('derives the lifetime of a token from its end on PostgreSQL', async () => {
  await using database = new PGlite()
  const types = columnTypes.postgres
  const made = before.flatMap((migration) => migration(types))
  for (const statement of [...made, ...rows, ...tokenLineageSchema(types)]) await database.exec(statement)
  expect((await database.query(read)).rows).toEqual(known)
}, 60_000)
