/** The identity of this installation: a blob store that holds another one's is refused. */
import type { Reader, Transaction } from './handles.ts'
import { kyselyOf } from './sql/database.ts'

/** Stores the id unless there is one; returns the stored one. */
export async function ensureInstallation(
  tx: Transaction,
  options: { readonly id: string; readonly now: number },
): Promise<string> {
  const kysely = kyselyOf(tx)
  await kysely
    .insertInto('installation')
    .values({ singleton: 1, id: options.id, created_at: options.now })
    .onConflict((conflict) => conflict.column('singleton').doNothing())
    .execute()
  const row = await kysely
    .selectFrom('installation')
    .select('id')
    .where('singleton', '=', 1)
    .executeTakeFirstOrThrow()
  return row.id
}

/** `undefined` before the first start. */
export async function findInstallation(db: Reader): Promise<string | undefined> {
  const row = await kyselyOf(db)
    .selectFrom('installation')
    .select('id')
    .where('singleton', '=', 1)
    .executeTakeFirst()
  return row?.id
}
