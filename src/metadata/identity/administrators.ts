import type { Reader, Transaction } from '../handles.ts'
import { sql } from 'kysely'
import { hasRowLocks, kyselyOf } from '../sql/database.ts'
import { pageByName } from '../sql/keyset-page.ts'

export interface Administrator {
  readonly name: string
  readonly disabled: boolean
}

/** Lists administrators in byte order of their names, after `after` (exclusive). */
export async function listAdministrators(
  db: Reader,
  page: { readonly after: string; readonly limit: number },
): Promise<Administrator[]> {
  const administrators = kyselyOf(db)
    .selectFrom('account')
    .select(['name', 'disabled'])
    .where('is_admin', '=', sql.lit(1))
  const rows = await pageByName(administrators, 'name', page).execute()
  return rows.map(({ name, disabled }) => ({ name, disabled: disabled === 1 }))
}

/**
 * Whether the account is an administrator and no other administrator may log in. Locks all administrators until the
 * transaction ends, also if the account is not one of them. Two transactions that disable, demote or delete
 * administrators at the same time, or that change one account while it becomes an administrator, therefore wait for each
 * other and see each other's change.
 */
export async function isLastAdministrator(tx: Transaction, name: string): Promise<boolean> {
  const query = kyselyOf(tx)
    .selectFrom('account')
    .select(['name', 'disabled'])
    .where('is_admin', '=', sql.lit(1))
    .where('name', '>', '')
    .orderBy('name')
  const rows = await (hasRowLocks(tx) ? query.forUpdate() : query).execute()
  const others = rows.filter((row) => row.name !== name)
  return others.length < rows.length && others.every(({ disabled }) => disabled === 1)
}
