/** Roles are named sets of actions. The migration inserts the built-in ones, which never change. */
import type { Selectable } from 'kysely'
import { Conflict } from '../errors.ts'
import type { Reader, Transaction } from '../handles.ts'
import { hasRowLocks, kyselyOf } from '../sql/database.ts'
import { pageByName } from '../sql/keyset-page.ts'
import type { RoleTable } from './schema.ts'

export interface Role {
  readonly id: number
  readonly name: string
  readonly actions: readonly string[]
  readonly isBuiltIn: boolean
}

/** Creates a role. Throws `Conflict` if a role of that name exists. */
export async function insertRole(
  tx: Transaction,
  role: { readonly name: string; readonly actions: readonly string[]; readonly now: number },
): Promise<number> {
  const row = await kyselyOf(tx)
    .insertInto('role')
    .values({
      name: role.name,
      actions: JSON.stringify(role.actions),
      built_in: 0,
      created_at: role.now,
    })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning('id')
    .executeTakeFirst()
  if (row === undefined) throw new Conflict(`the role ${role.name} already exists`)
  return row.id
}

export async function findRole(db: Reader, name: string): Promise<Role | undefined> {
  const row = await kyselyOf(db).selectFrom('role').selectAll().where('name', '=', name).executeTakeFirst()
  return row && roleOf(row)
}

/** Like `findRole`, but no other transaction can delete the role until this one ends. */
export async function holdRole(tx: Transaction, name: string): Promise<Role | undefined> {
  const query = kyselyOf(tx).selectFrom('role').selectAll().where('name', '=', name)
  const row = await (hasRowLocks(tx) ? query.forKeyShare() : query).executeTakeFirst()
  return row && roleOf(row)
}

/** Lists roles in byte order of their names, after `after` (exclusive). */
export async function listRoles(
  db: Reader,
  page: { readonly after?: string | undefined; readonly limit: number },
): Promise<Role[]> {
  const roles = kyselyOf(db).selectFrom('role').selectAll()
  return (await pageByName(roles, 'name', page).execute()).map(roleOf)
}

/** Deletes a custom role that no grant uses. Otherwise returns the reason why the role cannot be deleted. */
export async function deleteRole(
  tx: Transaction,
  name: string,
): Promise<'deleted' | 'unknown' | 'built-in' | 'used'> {
  const kysely = kyselyOf(tx)
  const query = kysely.selectFrom('role').select(['id', 'built_in']).where('name', '=', name)
  const row = await (hasRowLocks(tx) ? query.forUpdate() : query).executeTakeFirst()
  if (row === undefined) return 'unknown'
  if (row.built_in === 1) return 'built-in'
  const user = await kysely
    .selectFrom('access_grant')
    .select('id')
    .where('role_id', '=', row.id)
    .limit(1)
    .executeTakeFirst()
  if (user !== undefined) return 'used'
  await kysely.deleteFrom('role').where('id', '=', row.id).execute()
  return 'deleted'
}

function roleOf({ id, name, actions, built_in: builtIn }: Selectable<RoleTable>): Role {
  return { id, name, actions: JSON.parse(actions) as string[], isBuiltIn: builtIn === 1 }
}
