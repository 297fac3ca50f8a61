import type { Reader, Transaction } from './handles.ts'
import { sql } from 'kysely'
import { hasRowLocks, kyselyOf } from './sql/database.ts'

export interface Administrator {
  readonly name: string
  readonly disabled: boolean
}

/** In byte order of the names, after `after` (exclusive). */
export async function listAdministrators(
  db: Reader,
  page: { readonly after: string; readonly limit: number },
): Promise<Administrator[]> {
  const rows = await kyselyOf(db)
    .selectFrom('account')
    .select(['name', 'disabled'])
    .where('is_admin', '=', sql.lit(1))
    .where('name', '>', page.after)
    .orderBy('name')
    .limit(page.limit)
    .execute()
  return rows.map(({ name, disabled }) => ({ name, disabled: disabled === 1 }))
}

/** One that may log in. Those found stay administrators until the transaction ends. */
export async function hasOtherAdministrator(tx: Transaction, name: string): Promise<boolean> {
  const query = kyselyOf(tx)
    .selectFrom('account')
    .select(['name', 'disabled'])
    .where('is_admin', '=', sql.lit(1))
    .where('name', '>', '')
    .orderBy('name')
  const rows = await (hasRowLocks(tx) ? query.forUpdate() : query).execute()
  return rows.some((row) => row.name !== name && row.disabled === 0)
}
