/** Repositories and their owners. The first push creates both. */
import { andThen } from '../../lib/maybe-promise.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import { ownerOf } from '../../oci/repository-name.ts'
import type { Reader, Transaction } from '../handles.ts'
import { ensureOwner } from '../owners/owners.ts'
import type { Visibility } from '../owners/schema.ts'
import { compileOnce } from '../sql/compile-once.ts'
import { kyselyOf } from '../sql/database.ts'
import { pageByName } from '../sql/keyset-page.ts'
import { endOfNames } from './visible-repositories.ts'
import type { RepositoryVisibility } from './visible-repositories.ts'

export interface Repository {
  readonly id: number
  readonly ownerId: number
  readonly name: RepositoryName
  readonly visibility: Visibility
}

/** The data that decides who may do what in a repository. */
export interface RepositoryAccess extends RepositoryVisibility {
  readonly id: number
  readonly ownerName: string
}

interface AccessRow {
  id: number | null
  visibility: Visibility | null
  owner_visibility: Visibility | null
  owner_name: string | null
}

/** Always returns one row, empty if the repository does not exist, so that the response time does not reveal its absence. */
const accessByName = compileOnce<{ name: string }, AccessRow>(({ kysely, parameter }) =>
  kysely
    .selectFrom(kysely.selectNoFrom(parameter('name').as('name')).as('asked'))
    .leftJoin('repository', 'repository.name', 'asked.name')
    .leftJoin('owner', 'owner.id', 'repository.owner_id')
    .select([
      'repository.id',
      'repository.visibility',
      'owner.visibility as owner_visibility',
      'owner.name as owner_name',
    ]),
)

const repositoryByName = compileOnce<
  { name: string },
  { id: number; owner_id: number; visibility: Visibility }
>(({ kysely, parameter }) =>
  kysely
    .selectFrom('repository')
    .select(['id', 'owner_id', 'visibility'])
    .where('name', '=', parameter('name')),
)

export async function findRepository(db: Reader, name: RepositoryName): Promise<Repository | undefined> {
  const row = await repositoryByName.first(db, { name })
  return row === undefined
    ? undefined
    : { id: row.id, ownerId: row.owner_id, name, visibility: row.visibility }
}

/** Runs on every request of a caller who is neither administrator nor owner. On SQLite it answers at once. */
export function findRepositoryAccess(
  db: Reader,
  name: RepositoryName,
): MaybePromise<RepositoryAccess | undefined> {
  return andThen(accessByName.first(db, { name }), accessOf)
}

function accessOf(row: AccessRow | undefined): RepositoryAccess | undefined {
  if (row === undefined) return undefined
  const { id, visibility, owner_visibility: ownerVisibility, owner_name: ownerName } = row
  if (id === null || visibility === null || ownerVisibility === null || ownerName === null) return undefined
  return { id, visibility, ownerVisibility, ownerName }
}

/**
 * Creates the repository, and its owner as a public organization, if they are missing; the first creator wins. An owner
 * that is a user is created with its account. Throws `OwnerRenamed` below a former name.
 */
export async function ensureRepository(
  tx: Transaction,
  options: { readonly name: RepositoryName; readonly visibility: Visibility; readonly now: number },
): Promise<Repository> {
  const existing = await findRepository(tx, options.name)
  if (existing !== undefined) return existing
  const ownerId = await ensureOwner(tx, { name: ownerOf(options.name), now: options.now })
  const kysely = kyselyOf(tx)
  await kysely
    .insertInto('repository')
    .values({
      owner_id: ownerId,
      name: options.name,
      visibility: options.visibility,
      created_at: options.now,
    })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute()
  // A separate statement: on PostgreSQL it sees the row that won the race.
  const row = await kysely
    .selectFrom('repository')
    .select(['id', 'owner_id', 'visibility'])
    .where('name', '=', options.name)
    .executeTakeFirstOrThrow()
  return { id: row.id, ownerId: row.owner_id, name: options.name, visibility: row.visibility }
}

/** Changes the visibility and returns the previous one; `undefined` if the repository does not exist. */
export async function setRepositoryVisibility(
  tx: Transaction,
  change: { readonly name: RepositoryName; readonly visibility: Visibility },
): Promise<Visibility | undefined> {
  const before = await findRepository(tx, change.name)
  if (before === undefined) return undefined
  await kyselyOf(tx)
    .updateTable('repository')
    .set({ visibility: change.visibility })
    .where('id', '=', before.id)
    .execute()
  return before.visibility
}

/** Lists repositories with the visibilities that decide who sees them, in byte order, after `after` (exclusive). */
export async function listRepositoryAccess(
  db: Reader,
  page: { readonly after?: string | undefined; readonly limit: number },
): Promise<(RepositoryAccess & { readonly name: RepositoryName })[]> {
  const all = kyselyOf(db)
    .selectFrom('repository')
    .innerJoin('owner', 'owner.id', 'repository.owner_id')
    .select([
      'repository.name',
      'repository.id',
      'repository.visibility',
      'owner.visibility as ownerVisibility',
      'owner.name as ownerName',
    ])
    .where('repository.name', '<', endOfNames)
  const rows = await pageByName(all, 'repository.name', page).execute()
  return rows.map((row) => ({ ...row, name: row.name as RepositoryName }))
}
