/** A SQLite database with rows in every table that a backup copies. */
import { DatabaseSync } from 'node:sqlite'
import { systemClock } from '../../../lib/clock.ts'
import { digestBytes } from '../../../oci/digest.ts'
import { openSqliteMetadata } from '../../dialects/sqlite/sqlite.ts'
import type { Metadata } from '../../metadata.ts'
import { copiedTables, transientTables } from '../tables.ts'

const manyRows = 1_203
/** The length of a manifest; two such manifests exceed a page. */
export const longManifestBytes = 5 * 1024 * 1024
const manifests = 4
const largestTime = Number.MAX_SAFE_INTEGER

const many = `with recursive n (i) as (select 1 union all select i + 1 from n where i < ${manyRows})`

const rows: readonly string[] = [
  `insert into owner values (1, 'acme', 'organization', 'public', 1), (2, 'alice', 'user', 'private', ${largestTime})`,
  `insert into account (id, name, password_hash, is_admin, disabled, credential_version, created_at, password_set_at, kind, owner_id)
    values (1, 'alice', 'x', 1, 0, 3, 1, 1, 'user', null), (2, 'acme+robot', 'x', 0, 1, 1, 1, 1, 'robot', 1)`,
  `insert into owner_alias values ('former', 1, 1)`,
  `insert into organization_member values (1, 1, 1)`,
  `insert into team values (1, 1, 'team', 1)`,
  `insert into team_member values (1, 1, 1)`,
  `insert into role values (9, 'auditor', '["pull"]', 0, 1)`,
  `insert into access_grant values (1, 1, 'acme/*', 9, 'team', 1, 1, 'operator')`,
  `update rights_version set version = 42`,
  `insert into access_token values (1, 1, 'ci', 'h', 'abc', '["pull"]', '["acme/*"]', 1, 'x', null, null, 5, 90, 1)`,
  `insert into browser_session values (1, 'h', 1, 3, 1, 1, 9, '127.0.0.1', null)`,
  `insert into refresh_token values (1, 'h', 1, 3, null, 1, 1)`,
  `insert into signing_key values ('k', 'active', 'public', 'private', 1, null)`,
  `insert into repository values (1, 1, 'acme/web', 'public', 1)`,
  `${many} insert into property (ref_type, ref_id, name, value) select 'manifest', 1, 'n' || i, 'ö' || i from n`,
  `insert into property (ref_type, ref_id, name, value) values ('manifest', 1, 'nul', 'a' || char(0) || 'b')`,
  `${many} insert into blob select 'sha256:' || printf('%064x', i), printf('%032x', i), i, i, i % 2 from n`,
  `${many} insert into blob_link select 1, 'sha256:' || printf('%064x', i), i, 'live' from n`,
  `insert into audit_event (id, at, action, outcome, actor, actor_name, detail)
    values (7, 1, 'login', 'granted', 'user:1', 'alice', '{"a":1}')`,
  `insert into installation (singleton, id, created_at) values (1, 'filled', 1)`,
  `insert into upload (id, repository, principal, storage_key, generation, segments, byte_offset, created_at, touched_at)
    values ('u', 'acme/web', 'user:1', 'k', 1, '[]', 0, 1, 1)`,
  `insert into dead_key (storage_key, digest, since) values ('dead', null, 1)`,
  `insert into lease values ('job', 'me', 1, 1)`,
  // The highest ids belonged to rows that were deleted.
  `insert into owner values (77, 'gone', 'user', 'private', 1)`,
  `delete from owner where id = 77`,
  `insert into team values (5, 1, 'gone', 1)`,
  `delete from team where id = 5`,
]

/** Opens a database with rows in every table; the suite checks that. */
export async function openFilledDatabase(file: string, manifestBytes: number): Promise<Metadata> {
  const metadata = await openSqliteMetadata({
    file,
    clock: systemClock,
    onFatal: (error) => {
      throw error
    },
  })
  using database = new DatabaseSync(file, { timeout: 5_000 })
  for (const statement of rows) database.exec(statement)
  const [content, manifest] = [
    database.prepare('insert into manifest_content values (?, ?)'),
    database.prepare(`insert into manifest (repository_id, digest, media_type, size, pushed_by, created_at, pushed_at, descriptor)
      values (1, ?, 'm', ?, 'user:1', 1, 1, ?)`),
  ]
  for (let index = 1; index <= manifests; index += 1) {
    const bytes = Buffer.alloc(manifestBytes, index)
    const digest = digestBytes(bytes)
    content.run(digest, bytes)
    manifest.run(digest, manifestBytes, 'd'.repeat(index * 1_000))
    database.exec(`insert into tag values (1, 't${index}', '${digest}', 1, 1)`)
    database.exec(
      `insert into manifest_blob values (1, ${index}, 0, 'sha256:${'0'.repeat(63)}1', 'layer', 'l', 1)`,
    )
  }
  database.exec(`insert into manifest_child values (1, 1, 0, 'sha256:child', null)`)
  return metadata
}

/** Reads every row of the copied tables, and the last assigned row ids. */
export function readEverything(file: string): Readonly<Record<string, readonly unknown[]>> {
  using database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  const tables = copiedTables.map(([name, { key }]) => {
    const rows = database.prepare(`select * from ${name} order by ${key.join(', ')}`).all()
    return [name, rows.map(withDigests)] as const
  })
  const sequences = database.prepare('select name, seq from sqlite_sequence order by name').all()
  return { ...Object.fromEntries(tables), sqlite_sequence: sequences }
}

/** Replaces long values with digests: comparing megabytes value by value takes minutes. */
function withDigests(row: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      value instanceof Uint8Array ? digestBytes(value) : value,
    ]),
  )
}

export function countTransient(file: string): number {
  using database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  return transientTables.reduce(
    (sum, table) => sum + Number(database.prepare(`select count(*) as n from ${table}`).get()?.['n']),
    0,
  )
}
