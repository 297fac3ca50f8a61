/**
 * @module Multiplies a pushed repository in the database of a stopped registry: a hundred thousand pushes would take minutes, and
 * a start sees no difference. Columns are read from the database, so this code depends only on the relations between tables.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Copies the repository until there are this many, each with its manifest, tag and blobs. */
export function multiplyRepository(dataDir: string, count: number): void {
  using database = new DatabaseSync(join(dataDir, 'lading.db'))
  database.exec('pragma synchronous = off')
  const source = database.prepare('select id, name from repository').get()
  if (source === undefined) throw new Error('the database has no repository to multiply')
  database.exec('begin')
  copyRows(database, {
    table: 'repository',
    replaced: { name: `old.name || '-' || new.id` },
    copies: `with recursive new(id) as (select 2 union all select id + 1 from new where id < ${count})`,
    source: `old.id = ${Number(source['id'])} and ${count} > 1`,
  })
  const repositories = { copies: '', new: 'repository', source: `old.repository_id <> new.id` }
  const moved = { repository_id: 'new.id' }
  // Copies the rows of the first repository: the statement does not read rows that it adds.
  copyRows(database, { ...repositories, table: 'manifest', replaced: moved })
  copyRows(database, { ...repositories, table: 'tag', replaced: moved })
  copyRows(database, { ...repositories, table: 'blob_link', replaced: moved })
  const manifest = '(select id from manifest where repository_id = new.id)'
  copyRows(database, {
    ...repositories,
    table: 'manifest_blob',
    replaced: { ...moved, manifest_id: manifest },
  })
  database.exec('commit')
  database.exec('pragma wal_checkpoint(truncate)')
}

interface Copy {
  readonly table: string
  /** The columns that differ in a copy: an expression over `old`, the copied row, and `new`, the row for which it is copied. */
  readonly replaced: Readonly<Record<string, string>>
  /** A `with` clause that defines `new`, if it is not a table. */
  readonly copies: string
  readonly new?: string
  readonly source: string
}

function copyRows(database: DatabaseSync, copy: Copy): void {
  const { table, replaced, copies, source } = copy
  const columns = database
    .prepare(`select name from pragma_table_info('${table}')`)
    .all()
    .map(({ name }) => String(name))
    // The database numbers an `id` itself.
    .filter((name) => name !== 'id')
  const values = columns.map((name) => replaced[name] ?? `old.${name}`)
  const from = `${table} as old join ${copy.new ?? 'new'} as new`
  database.exec(
    `insert into ${table} (${columns.join()}) ${copies} select ${values.join()} from ${from} where ${source}`,
  )
}
