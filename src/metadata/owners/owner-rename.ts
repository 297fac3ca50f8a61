/**
 * Renames an owner and everything named after it. Rows refer to each other by id, so only names are written. The former
 * name stays reserved and still serves pulls.
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
  TooManyFormerNames,
} from './owner-errors.ts'
import { findOwner, listFormerNames } from './owners.ts'
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

const maxFormerNames = 20

/**
 * Renames an owner. A concurrent push either ends before the rename and is renamed too, or finds that the name no longer
 * exists. Throws `OwnerUnknown`, `OwnerNameTaken`, `OwnerRenamed` if the new name is the former name of another owner,
 * `RepositoryNameTooLong` and `TooManyFormerNames`.
 */
export async function renameOwner(tx: Transaction, rename: Rename): Promise<RenamedOwner> {
  const { name, newName, now } = rename
  const kysely = kyselyOf(tx)
  const query = kysely.selectFrom('owner').select(['id', 'kind']).where('name', '=', name)
  // This waits for pushes that are creating a repository, so that the queries below see their rows.
  const owner = await (hasRowLocks(tx) ? query.forUpdate() : query).executeTakeFirst()
  if (owner === undefined) throw new OwnerUnknown(name)
  if ((await findOwner(tx, newName)) !== undefined) throw new OwnerNameTaken(newName)
  await kysely.updateTable('owner').set({ name: newName }).where('id', '=', owner.id).execute()
  const repositories = await renameRepositories(tx, rename)
  const robots = await renameAccounts(tx, owner, rename)
  await renamePatterns(tx, rename)
  await takeBackFormerName(tx, owner.id, rename)
  if ((await listFormerNames(tx, owner.id)).length >= maxFormerNames)
    throw new TooManyFormerNames(name, maxFormerNames)
  await kysely.insertInto('owner_alias').values({ name, owner_id: owner.id, created_at: now }).execute()
  await raiseRightsVersion(tx)
  return { ownerId: owner.id, kind: owner.kind, repositories, robots }
}

async function renameRepositories(tx: Transaction, rename: Rename): Promise<number> {
  const { name, newName } = rename
  const kysely = kyselyOf(tx)
  // The range of names "<name>/...": `0` is the character after the slash.
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
  /** Exclusive, like `end`. Renamed rows are outside the range. */
  readonly first: string
  readonly end: string
}

/** Renames the range in batches, with pauses for other requests. Returns the number of changed rows. */
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
    // Only one upper bound: of two, SQLite uses the first one for the index.
    const isUpTo = last === undefined ? isBefore : sql`${column} <= ${last}`
    const { numAffectedRows } =
      await sql`update ${table} set ${column} = ${prefixed} where ${isAfter} and ${isUpTo}`.execute(kysely)
    renamed += Number(numAffectedRows ?? 0)
    if (last === undefined) return renamed
  }
}

/** Renames the user's own account, and robots, whose names are `<owner>+<robot>`. Their credentials stay valid. */
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

/** Renames the patterns of access tokens, of any account, that are limited to repositories of this owner. */
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

/** Lists tokens with patterns; pauses between the queries. */
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

/** Releases the new name if it is a former name of the same owner; throws if it is another owner's. */
async function takeBackFormerName(tx: Transaction, ownerId: number, { newName }: Rename): Promise<void> {
  const kysely = kyselyOf(tx)
  const formerOwner = await kysely
    .selectFrom('owner_alias')
    .innerJoin('owner', 'owner.id', 'owner_alias.owner_id')
    .select(['owner.id', 'owner.name'])
    .where('owner_alias.name', '=', newName)
    .executeTakeFirst()
  if (formerOwner === undefined) return
  if (formerOwner.id !== ownerId) throw new OwnerRenamed({ formerName: newName, newName: formerOwner.name })
  await kysely.deleteFrom('owner_alias').where('name', '=', newName).execute()
}

function replacePrefix(column: string, { name, newName }: Rename): RawBuilder<string> {
  return sql<string>`cast(${newName} as text) || substr(${sql.ref(column)}, cast(${name.length + 1} as integer))`
}
