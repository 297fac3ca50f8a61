/** Brings a database to this version's schema, in one transaction, so that a failed upgrade leaves nothing behind. */
import { sql, type Kysely } from 'kysely'
import { MetadataTooNew } from '../errors.ts'
import type { Reader, Transaction } from '../handles.ts'
import type { Schema } from '../schema.ts'
import { databaseOf } from '../sql/database.ts'
import { listVisibleTables } from '../sql/visible-tables.ts'
import { initialSchema } from './0001-initial.ts'
import { identitySchema } from './0002-identity.ts'
import { rightsSchema } from './0003-rights.ts'
import { credentialsSchema } from './0004-credentials.ts'
import { auditSchema } from './0005-audit.ts'
import { storeSafetySchema } from './0006-store-safety.ts'
import { listsSchema } from './0007-lists.ts'
import { dropEvent } from './0008-drop-event.ts'
import { uploadCeilingSchema } from './0009-upload-ceiling.ts'
import { tokenLineageSchema } from './0010-token-lineage.ts'
import { columnTypes } from './column-types.ts'
import type { Migration } from './migration.ts'

/** In the order in which they run; a name that was released is never renamed or removed. */
const migrations: ReadonlyMap<string, Migration> = new Map([
  ['0001-initial', initialSchema],
  ['0002-identity', identitySchema],
  ['0003-rights', rightsSchema],
  ['0004-credentials', credentialsSchema],
  ['0005-audit', auditSchema],
  ['0006-store-safety', storeSafetySchema],
  ['0007-lists', listsSchema],
  ['0008-drop-event', dropEvent],
  ['0009-upload-ceiling', uploadCeilingSchema],
  ['0010-token-lineage', tokenLineageSchema],
])

// An arbitrary number that no other use of advisory locks in the same database should pick.
const upgradeLock = 7_305_521_848

/**
 * Calls `onStep` with the name of each migration before it runs. Throws `MetadataTooNew`. Two programs that start
 * together upgrade one after the other.
 */
export async function migrate(
  tx: Transaction,
  now: number,
  onStep: (name: string) => void = () => undefined,
): Promise<void> {
  const { dialect, kysely } = databaseOf(tx)
  if (dialect === 'postgres') {
    await sql`select pg_advisory_xact_lock(${sql.lit(upgradeLock)})`.execute(kysely)
    await stayInSchema(kysely)
  }
  const types = columnTypes[dialect]
  await sql
    .raw(
      `create table if not exists schema_migration
        (name ${types.text} not null primary key, applied_at ${types.integer} not null)`,
    )
    .execute(kysely)
  const rows = await kysely.selectFrom('schema_migration').select('name').execute()
  const applied = new Set(rows.map((row) => row.name))
  const unknown = [...applied].filter((name) => !migrations.has(name))
  if (unknown.length > 0) throw new MetadataTooNew(unknown)
  for (const [name, migration] of migrations) {
    if (applied.has(name)) continue
    onStep(name)
    for (const statement of migration(types)) await sql.raw(statement).execute(kysely)
    await kysely.insertInto('schema_migration').values({ name, applied_at: now }).execute()
  }
}

/**
 * PostgreSQL makes tables in the first schema of the search path, also where the registry's tables are in a later one: a schema
 * of the user's name that somebody made since would get empty tables, which hide the others from every server.
 */
async function stayInSchema(kysely: Kysely<Schema>): Promise<void> {
  await sql`select set_config('search_path', quote_ident(nspname), true)
    from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where pg_class.oid = to_regclass('schema_migration')`.execute(kysely)
}

export interface MigrationState {
  /** In the order in which they ran; none in a new database. */
  readonly applied: readonly string[]
  /** What this version would apply. */
  readonly pending: readonly string[]
  /** Applied by a newer version. */
  readonly unknown: readonly string[]
}

/** Changes nothing. */
export async function readMigrationState(db: Reader): Promise<MigrationState> {
  const { kysely } = databaseOf(db)
  const isNew = !(await listVisibleTables(db)).has('schema_migration')
  const rows = isNew
    ? []
    : await kysely.selectFrom('schema_migration').select('name').orderBy('name').execute()
  const applied = rows.map(({ name }) => name)
  return {
    applied,
    pending: [...migrations.keys()].filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !migrations.has(name)),
  }
}
