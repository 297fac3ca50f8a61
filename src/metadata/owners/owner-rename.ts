/**
 * Gives an owner another name, and with it all that is called after it. Rows refer to one another by id, so only names
 * are written; the old one stays as an alias that nobody else can take.
 */
import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import { maxRepositoryNameCharacters } from '../../oci/repository-name.ts'
import type { Transaction } from '../handles.ts'
import {
  OwnerNameTaken,
  OwnerRenamed,
  OwnerUnknown,
  RepositoryNameTooLong,
  TooManyOldNames,
} from './owner-errors.ts'
import { findOwner, listAliases } from './owners.ts'
import { raiseRightsVersion } from '../system/rights-version.ts'
import { hasRowLocks, kyselyOf } from '../sql/database.ts'
import { pageById } from '../sql/keyset-page.ts'
import { pause, rowsPerTurn } from '../sql/pause.ts'

export interface Rename {
  readonly name: string
  readonly newName: string
  readonly now: number
}

export interface RenamedOwner {
  readonly ownerId: number
  readonly kind: 'user' | 'organization'
  readonly repositories: number
  readonly robots: number
}

const maxOldNames = 20

/**
 * Pushes that go on either end before it and are renamed too, or find the name gone. Throws `OwnerUnknown`,
 * `OwnerNameTaken`, `OwnerRenamed` where the new name is the old one of another owner, `RepositoryNameTooLong`,
 * `TooManyOldNames`.
 */
export async function renameOwner(tx: Transaction, rename: Rename): Promise<RenamedOwner> {
  const { name, newName, now } = rename
  const kysely = kyselyOf(tx)
  const query = kysely.selectFrom('owner').select(['id', 'kind']).where('name', '=', name)
  // It waits for pushes that are making a repository: their rows are then seen below.
  const owner = await (hasRowLocks(tx) ? query.forUpdate() : query).executeTakeFirst()
  if (owner === undefined) throw new OwnerUnknown(name)
  if ((await findOwner(tx, newName)) !== undefined) throw new OwnerNameTaken(newName)
  await kysely.updateTable('owner').set({ name: newName }).where('id', '=', owner.id).execute()
  const repositories = await renameRepositories(tx, rename)
  const robots = await renameAccounts(tx, owner, rename)
  await renamePatterns(tx, rename)
  await moveAlias(tx, owner.id, rename)
  if ((await listAliases(tx, owner.id)).length >= maxOldNames) throw new TooManyOldNames(name, maxOldNames)
  await kysely.insertInto('owner_alias').values({ name, owner_id: owner.id, created_at: now }).execute()
  await raiseRightsVersion(tx)
  return { ownerId: owner.id, kind: owner.kind, repositories, robots }
}

async function renameRepositories(tx: Transaction, rename: Rename): Promise<number> {
  const { name, newName } = rename
  const kysely = kyselyOf(tx)
  // The range of names "<name>/...": the character after the slash ends it.
  const [first, end] = [`${name}/`, `${name}0`]
  const longest = maxRepositoryNameCharacters - newName.length + name.length
  const tooLong = await kysely
    .selectFrom('repository')
    .select('name')
    .where('name', '>', first)
    .where('name', '<', end)
    .where(sql<number>`length(name)`, '>', longest)
    .orderBy('name')
    .limit(1)
    .executeTakeFirst()
  if (tooLong !== undefined) throw new RepositoryNameTooLong(tooLong.name, maxRepositoryNameCharacters)
  const renamed = await renameRange(tx, { table: 'repository', column: 'name', first, end }, rename)
  await renameRange(tx, { table: 'upload', column: 'repository', first, end }, rename)
  return renamed
}

interface NameColumn {
  readonly table: 'repository' | 'upload'
  readonly column: string
  /** Exclusive, as `end`. What has its new name lies outside. */
  readonly first: string
  readonly end: string
}

/** Some names at a time, with turns for everybody else in between. Returns how many rows changed. */
async function renameRange(tx: Transaction, range: NameColumn, rename: Rename): Promise<number> {
  const kysely = kyselyOf(tx)
  const [table, column] = [sql.table(range.table), sql.ref(range.column)]
  const isAfter = sql`${column} > ${range.first}`
  const isBefore = sql`${column} < ${range.end}`
  const prefixed = replacePrefix(range.column, rename)
  for (let renamed = 0; ; await pause(tx)) {
    const { rows } = await sql<{
      last: string
    }>`select ${column} as last from ${table} where ${isAfter} and ${isBefore}
      order by ${column} limit 1 offset ${sql.lit(rowsPerTurn - 1)}`.execute(kysely)
    const last = rows[0]?.last
    // One bound: of two SQLite takes the first one for the index.
    const isUpTo = last === undefined ? isBefore : sql`${column} <= ${last}`
    const { numAffectedRows } =
      await sql`update ${table} set ${column} = ${prefixed} where ${isAfter} and ${isUpTo}`.execute(kysely)
    renamed += Number(numAffectedRows ?? 0)
    if (last === undefined) return renamed
  }
}

/** The user's own, and robots, whose names are `<owner>+<robot>`; their credentials go on. */
async function renameAccounts(
  tx: Transaction,
  owner: { readonly id: number; readonly kind: 'user' | 'organization' },
  rename: Rename,
): Promise<number> {
  const { name, newName } = rename
  const kysely = kyselyOf(tx)
  if (owner.kind === 'user') {
    await kysely
      .updateTable('account')
      .set({ name: newName })
      .where('name', '=', name)
      .where('kind', '=', 'user')
      .execute()
  }
  const robots = await kysely
    .updateTable('account')
    .set({ name: replacePrefix('name', rename) })
    .where('owner_id', '=', owner.id)
    .executeTakeFirst()
  return Number(robots.numUpdatedRows)
}

/** Access tokens of whatever account that are limited to repositories of this owner. */
async function renamePatterns(tx: Transaction, { name, newName }: Rename): Promise<void> {
  const kysely = kyselyOf(tx)
  for await (const { id, patterns } of listLimitedTokens(tx)) {
    if (!patterns.includes(`"${name}/`)) continue
    const renamed = (JSON.parse(patterns) as string[]).map((pattern) =>
      pattern.startsWith(`${name}/`) ? newName + pattern.slice(name.length) : pattern,
    )
    await kysely
      .updateTable('access_token')
      .set({ patterns: JSON.stringify(renamed) })
      .where('id', '=', id)
      .execute()
  }
}

/** With turns for everybody else between the queries. */
async function* listLimitedTokens(tx: Transaction): AsyncGenerator<{ id: number; patterns: string }> {
  for (let after = 0; ;) {
    const limited = kyselyOf(tx)
      .selectFrom('access_token')
      .select(['id', 'patterns'])
      .where('patterns', 'is not', null)
    const rows = await pageById(limited, 'id', { after, limit: rowsPerTurn }).execute()
    for (const { id, patterns } of rows) yield { id, patterns: patterns ?? '[]' }
    const last = rows.at(-1)
    if (last === undefined || rows.length < rowsPerTurn) return
    after = last.id
    await pause(tx)
  }
}

/** An owner may have its old names back; those of others it may not. */
async function moveAlias(tx: Transaction, ownerId: number, { newName }: Rename): Promise<void> {
  const kysely = kyselyOf(tx)
  const alias = await kysely
    .selectFrom('owner_alias')
    .innerJoin('owner', 'owner.id', 'owner_alias.owner_id')
    .select(['owner.id', 'owner.name'])
    .where('owner_alias.name', '=', newName)
    .executeTakeFirst()
  if (alias === undefined) return
  if (alias.id !== ownerId) throw new OwnerRenamed({ oldName: newName, newName: alias.name })
  await kysely.deleteFrom('owner_alias').where('name', '=', newName).execute()
}

function replacePrefix(column: string, { name, newName }: Rename): RawBuilder<string> {
  return sql<string>`cast(${newName} as text) || substr(${sql.ref(column)}, cast(${name.length + 1} as integer))`
}
