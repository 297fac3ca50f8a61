/** Repositories and the owners they belong to; both come into being with the first push. */
import type { RepositoryName } from '../oci/repository-name.ts'
import { ownerOf } from '../oci/repository-name.ts'
import type { Reader, Transaction } from './handles.ts'
import type { Visibility } from './schema.ts'
import { compileOnce } from './sql/compile-once.ts'
import { kyselyOf } from './sql/database.ts'

export interface Repository {
  readonly id: number
  readonly ownerId: number
  readonly name: RepositoryName
  readonly visibility: Visibility
}

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

/** Creates the repository, and its owner as a public organization, when they are missing; the first creator wins. */
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
  // A statement of its own: on PostgreSQL it sees the row that won the race.
  const row = await kysely
    .selectFrom('repository')
    .select(['id', 'owner_id', 'visibility'])
    .where('name', '=', options.name)
    .executeTakeFirstOrThrow()
  return { id: row.id, ownerId: row.owner_id, name: options.name, visibility: row.visibility }
}

/** Names in byte order, after `after` (exclusive). */
export async function listRepositories(
  db: Reader,
  page: { readonly after?: string; readonly limit: number; readonly visibility?: 'public' },
): Promise<RepositoryName[]> {
  let query = kyselyOf(db)
    .selectFrom('repository')
    .select('name')
    .where('name', '>', page.after ?? '')
    .orderBy('name')
    .limit(page.limit)
  if (page.visibility !== undefined) query = query.where('visibility', '=', page.visibility)
  const rows = await query.execute()
  return rows.map((row) => row.name as RepositoryName)
}

async function ensureOwner(tx: Transaction, owner: { name: string; now: number }): Promise<number> {
  const kysely = kyselyOf(tx)
  await kysely
    .insertInto('owner')
    .values({ name: owner.name, kind: 'organization', visibility: 'public', created_at: owner.now })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute()
  const row = await kysely
    .selectFrom('owner')
    .select('id')
    .where('name', '=', owner.name)
    .executeTakeFirstOrThrow()
  return row.id
}
