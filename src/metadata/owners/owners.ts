/** The owners of repository names: users, which are created with their accounts, and organizations. */
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
  /** Limits the visibility of everything below the owner. */
  readonly visibility: Visibility
  readonly createdAt: number
}

export type OwnerRow = Selectable<OwnerTable>

const ownerByFormerName = compileOnce<{ name: string }, { name: string }>(({ kysely, parameter }) =>
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

/** Creates an organization. Throws `OwnerNameTaken`, and `OwnerRenamed` for a former name. */
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
  await refuseFormerName(tx, name)
  await raiseRightsVersion(tx)
  return row.id
}

/** Returns the owner of a new repository, and creates it as a public organization if it is missing. Throws `OwnerRenamed`. */
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
  // The owner keeps its name until the repository exists.
  const row = await (hasRowLocks(tx) ? query.forKeyShare() : query).executeTakeFirst()
  await refuseFormerName(tx, name)
  if (row === undefined) throw new Conflict(`owner ${name} is being deleted`)
  return row.id
}

/**
 * Throws `OwnerRenamed` if the name is a former name. Call it after the statement that takes the name: on PostgreSQL
 * that statement waits for a rename that frees the name, and only then is the former name visible.
 */
export async function refuseFormerName(tx: Transaction, name: string): Promise<void> {
  const newName = await findOwnerByFormerName(tx, name)
  if (newName !== undefined) throw new OwnerRenamed({ formerName: name, newName })
}

/** Returns the current name of the owner that had this name. On SQLite it answers at once. */
export function findOwnerByFormerName(db: Reader, name: string): MaybePromise<string | undefined> {
  return andThen(ownerByFormerName.first(db, { name }), (row) => row?.name)
}

/** Lists the former names of the owner, in byte order. */
export async function listFormerNames(db: Reader, ownerId: number): Promise<string[]> {
  const rows = await kyselyOf(db)
    .selectFrom('owner_alias')
    .select('name')
    .where('owner_id', '=', ownerId)
    .orderBy('name')
    .execute()
  return rows.map(({ name }) => name)
}

/** Returns when the owner got its current name: earlier records of that name belong to another owner. */
export async function findNamedAt(db: Reader, owner: Pick<Owner, 'id' | 'createdAt'>): Promise<number> {
  const row = await kyselyOf(db)
    .selectFrom('owner_alias')
    .select((eb) => eb.fn.max('created_at').as('last'))
    .where('owner_id', '=', owner.id)
    .executeTakeFirst()
  return Math.max(owner.createdAt, row?.last ?? 0)
}

/** Changes the visibility and returns the previous one; `undefined` if the owner does not exist. */
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
