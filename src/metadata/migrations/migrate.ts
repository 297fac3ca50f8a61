/** Upgrades a database to this version's schema in one transaction, so that a failed upgrade changes nothing. */
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

/** The migrations in the order in which they run. The name of a released migration is never changed or removed. */
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

// An arbitrary number. No other use of advisory locks in the same database may pick the same one.
const upgradeLock = 7_305_521_848

/**
 * Runs the pending migrations. Calls `onStep` with the name of each one before it runs. Throws `MetadataTooNew`. Two
 * processes that start together upgrade one after the other.
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
 * Keeps migrations in the schema of the registry's tables. PostgreSQL creates tables in the first schema of the search
 * path, even if the registry's tables are in a later one. If someone has since created a schema with the user's name, it
 * would get empty tables that hide the others from every server.
 */
async function stayInSchema(kysely: Kysely<Schema>): Promise<void> {
  await sql`select set_config('search_path', quote_ident(nspname), true)
    from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where pg_class.oid = to_regclass('schema_migration')`.execute(kysely)
}

export interface MigrationState {
  /** The migrations in the order in which they ran; none in a new database. */
  readonly applied: readonly string[]
  /** The migrations that this version would apply. */
  readonly pending: readonly string[]
  /** The migrations that a newer version applied. */
  readonly unknown: readonly string[]
}

/** Reads the state of the migrations. Changes nothing. */
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
