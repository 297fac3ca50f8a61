import { DatabaseSync } from 'node:sqlite'
import { PGlite } from '@electric-sql/pglite'
import { expect, test } from 'vitest'
import { initialSchema } from './0001-initial.ts'
import { identitySchema } from './0002-identity.ts'
import { rightsSchema } from './0003-rights.ts'
import { auditSchema } from './0005-audit.ts'
import { columnTypes } from './column-types.ts'

const before = [initialSchema, identitySchema, rightsSchema]

const logins = `insert into login_event (at, account_id, method, outcome, address, client) values
  (1, 1, 'password', 'granted', '192.0.2.1', 'docker'),
  (2, 1, 'password', 'wrong-password', '192.0.2.1', null),
  (3, null, 'password', 'unknown', '192.0.2.2', null),
  (4, 99, 'refresh-token', 'revoked', '192.0.2.2', null)`

const bob = `insert into account
  (name, password_hash, is_admin, disabled, credential_version, created_at, password_set_at)
  values ('bob', 'x', 0, 0, 1, 1, 1)`

const read =
  'select at, outcome, actor, actor_name, credential, target_kind, target, address from audit_event'

const moved = [
  { at: 1, outcome: 'granted', actor: 'user:1', actor_name: 'bob', target: 'bob', target_kind: 'user' },
  { at: 2, outcome: 'wrong-password', actor: 'anonymous', actor_name: '', target: 'bob' },
  { at: 3, outcome: 'unknown', actor: 'anonymous', actor_name: '', target: null, target_kind: null },
  {
    at: 4,
    outcome: 'revoked',
    actor: 'anonymous',
    actor_name: '',
    credential: 'refresh-token',
    target: null,
  },
]

test('moves the logins that SQLite recorded', () => {
  using database = new DatabaseSync(':memory:')
  const run = (statements: readonly string[]) => statements.forEach((statement) => database.exec(statement))
  run(before.flatMap((migration) => migration(columnTypes.sqlite)))
  run([bob, logins, ...auditSchema(columnTypes.sqlite)])
  expect(database.prepare(`${read} order by id`).all()).toMatchObject(moved)
  expect(() => database.exec('select 1 from login_event')).toThrow('no such table')
})

test('moves the logins that PostgreSQL recorded', async () => {
  await using database = new PGlite()
  for (const statement of before.flatMap((migration) => migration(columnTypes.postgres)))
    await database.exec(statement)
  for (const statement of [bob, logins, ...auditSchema(columnTypes.postgres)]) await database.exec(statement)
  expect((await database.query(`${read} order by id`)).rows).toMatchObject(moved)
  await expect(database.exec('select 1 from login_event')).rejects.toThrow('does not exist')
})
