/** Owners of repository names: users, who come into being with their accounts, and organizations. */
import type { Selectable } from 'kysely'
import { andThen } from '../../lib/maybe-promise.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import { Conflict } from '../errors.ts'
import type { Reader, Transaction } from '../handles.ts'
import { OwnerNameTaken, OwnerRenamed } from './owner-errors.ts'
import { raiseRightsVersion } from '../system/rights-version.ts'
import type { OwnerTable, Visibility } from './schema.ts'
import { compileOnce } from '../sql/compile-once.ts'
import { hasRowLocks, kyselyOf } from '../sql/database.ts'

export interface Owner {
  readonly id: number
  readonly name: string
  readonly kind: 'user' | 'organization'
  /** Nothing below is more visible than this. */
  readonly visibility: Visibility
  readonly createdAt: number
}

export type OwnerRow = Selectable<OwnerTable>

const aliasByName = compileOnce<{ name: string }, { name: string }>(({ kysely, parameter }) =>
  kysely
    .selectFrom('owner_alias')
    .innerJoin('owner', 'owner.id', 'owner_alias.owner_id')
    .select('owner.name')
    .where('owner_alias.name', '=', parameter('name')),
)

export async function findOwner(db: Reader, name: string): Promise<Owner | undefined> {
  const row = await kyselyOf(db).selectFrom('owner').selectAll().where('name', '=', name).executeTakeFirst()
  return row && ownerOf(row)
}

/** Throws `OwnerNameTaken`, and `OwnerRenamed` for a name that someone gave up. */
export async function insertOrganization(
  tx: Transaction,
  owner: { readonly name: string; readonly visibility: Visibility; readonly now: number },
): Promise<number> {
  const { name, visibility, now } = owner
  const row = await kyselyOf(tx)
    .insertInto('owner')
    .values({ name, kind: 'organization', visibility, created_at: now })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning('id')
    .executeTakeFirst()
  if (row === undefined) throw new OwnerNameTaken(name)
  await refuseAlias(tx, name)
  await raiseRightsVersion(tx)
  return row.id
}

/** The owner of a new repository, made as a public organization when missing. Throws `OwnerRenamed`. */
export async function ensureOwner(
  tx: Transaction,
  owner: { readonly name: string; readonly now: number },
): Promise<number> {
  const { name, now } = owner
  const kysely = kyselyOf(tx)
  await kysely
    .insertInto('owner')
    .values({ name, kind: 'organization', visibility: 'public', created_at: now })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute()
  const query = kysely.selectFrom('owner').select('id').where('name', '=', name)
  // Until the repository is there, the owner keeps its name.
  const row = await (hasRowLocks(tx) ? query.forKeyShare() : query).executeTakeFirst()
  await refuseAlias(tx, name)
  if (row === undefined) throw new Conflict(`owner ${name} is being deleted`)
  return row.id
}

/**
 * Call after the statement that takes the name: on PostgreSQL that one waits for a rename that gives it up, and only
 * then is its alias seen. Throws `OwnerRenamed`.
 */
export async function refuseAlias(tx: Transaction, name: string): Promise<void> {
  const newName = await findOwnerByAlias(tx, name)
  if (newName !== undefined) throw new OwnerRenamed({ oldName: name, newName })
}

/** What the owner who had this name is called now. On SQLite it answers at once. */
export function findOwnerByAlias(db: Reader, name: string): MaybePromise<string | undefined> {
  return andThen(aliasByName.first(db, { name }), (row) => row?.name)
}

/** Names that the owner had before, in byte order. */
export async function listAliases(db: Reader, ownerId: number): Promise<string[]> {
  const rows = await kyselyOf(db)
    .selectFrom('owner_alias')
    .select('name')
    .where('owner_id', '=', ownerId)
    .orderBy('name')
    .execute()
  return rows.map(({ name }) => name)
}

/** When the owner got the name that it has: what is told of that name from before is another owner's. */
export async function findNamedAt(db: Reader, owner: Pick<Owner, 'id' | 'createdAt'>): Promise<number> {
  const row = await kyselyOf(db)
    .selectFrom('owner_alias')
    .select((eb) => eb.fn.max('created_at').as('last'))
    .where('owner_id', '=', owner.id)
    .executeTakeFirst()
  return Math.max(owner.createdAt, row?.last ?? 0)
}

/** Returns the visibility it had; `undefined` when there is no such owner. */
export async function setOwnerVisibility(
  tx: Transaction,
  change: { readonly name: string; readonly visibility: Visibility },
): Promise<Visibility | undefined> {
  const before = await findOwner(tx, change.name)
  if (before === undefined) return undefined
  await kyselyOf(tx)
    .updateTable('owner')
    .set({ visibility: change.visibility })
    .where('id', '=', before.id)
    .execute()
  await raiseRightsVersion(tx)
  return before.visibility
}

export function ownerOf(row: OwnerRow): Owner {
  const { id, name, kind, visibility, created_at: createdAt } = row
  return { id, name, kind, visibility, createdAt }
}
