import { DatabaseSync } from 'node:sqlite'
import { PGlite } from '@electric-sql/pglite'
import { expect, test } from 'vitest'
import { initialSchema } from './0001-initial.ts'
import { identitySchema } from './0002-identity.ts'
import { rightsSchema } from './0003-rights.ts'
import { credentialsSchema } from './0004-credentials.ts'
import { auditSchema } from './0005-audit.ts'
import { dropEvent } from './0008-drop-event.ts'
import { columnTypes } from './column-types.ts'

const before = [initialSchema, identitySchema, rightsSchema, credentialsSchema, auditSchema]

/** The audit was added at time 100. */
const rows = [
  `create table schema_migration (name text not null primary key, applied_at bigint not null)`,
  `insert into schema_migration values ('0004-credentials', 50), ('0005-audit', 100)`,
  `insert into owner (id, name, kind, visibility, created_at) values (7, 'acme', 'organization', 'private', 1)`,
  `insert into repository (id, owner_id, name, visibility, created_at) values (5, 7, 'acme/web', 'private', 1)`,
  `insert into account (name, password_hash, is_admin, disabled, credential_version, created_at, password_set_at)
    values ('bob', 'x', 0, 0, 1, 1, 1)`,
  `insert into event (kind, repository_id, actor, credential, tag, digest_before, digest_after, at) values
    ('manifest.push', 5, 'user:1', 'password', null, null, 'sha256:a', 1),
    ('tag.move', 5, 'user:9', 'password', 'v1', 'sha256:a', 'sha256:b', 2),
    ('tag.delete', 5, 'anonymous', null, 'v1', 'sha256:b', null, 3),
    ('tag.delete', 99, 'anonymous', null, 'v1', 'sha256:b', null, 4),
    ('tag.create', 5, 'user:1', 'password', 'v2', null, 'sha256:b', 100)`,
]

const read = `select at, action, outcome, actor, actor_name, credential, target_kind, target, target_owner, detail
  from audit_event order by id`

const target = {
  outcome: 'done',
  target_kind: 'repository',
  target: 'acme/web',
  target_owner: 'acme',
} as const

const moved = [
  {
    ...target,
    at: 1,
    action: 'manifest.push',
    actor: 'user:1',
    actor_name: 'bob',
    credential: 'password',
    detail: '{"digest":"sha256:a"}',
  },
  {
    ...target,
    at: 2,
    action: 'tag.move',
    actor: 'user:9',
    actor_name: '',
    credential: 'password',
    detail: '{"tag":"v1","digest":"sha256:b","before":"sha256:a"}',
  },
  {
    ...target,
    at: 3,
    action: 'tag.delete',
    actor: 'anonymous',
    actor_name: '',
    credential: null,
    detail: '{"tag":"v1","digest":"sha256:b"}',
  },
]

test('moves events from before the audit on SQLite', () => {
  using database = new DatabaseSync(':memory:')
  const run = (statements: readonly string[]) => statements.forEach((statement) => database.exec(statement))
  run(before.flatMap((migration) => migration(columnTypes.sqlite)))
  run([...rows, ...dropEvent(columnTypes.sqlite)])
  expect(
    database
      .prepare(read)
      .all()
      .map((row) => ({ ...row })),
  ).toEqual(moved)
  expect(() => database.exec('select 1 from event')).toThrow('no such table')
})

test('moves events from before the audit on PostgreSQL', async () => {
  await using database = new PGlite()
  for (const statement of before.flatMap((migration) => migration(columnTypes.postgres)))
    await database.exec(statement)
  const overriding = rows.map((row) => row.replace(') values', ') overriding system value values'))
  for (const statement of [...overriding, ...dropEvent(columnTypes.postgres)]) await database.exec(statement)
  expect((await database.query(read)).rows).toEqual(moved)
  await expect(database.exec('select 1 from event')).rejects.toThrow('does not exist')
}, 60_000)
