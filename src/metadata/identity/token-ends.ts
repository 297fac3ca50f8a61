/** Ends all access tokens that match a condition, either at once by revocation or by an earlier expiry. */
import type { Expression, SqlBool } from 'kysely'
import type { Transaction } from '../handles.ts'
import { kyselyOf } from '../sql/database.ts'

/** Revokes the tokens and returns the number that were not revoked before. */
export async function revokeTokens(
  tx: Transaction,
  { where, now }: { readonly where: Expression<SqlBool>; readonly now: number },
): Promise<number> {
  const result = await kyselyOf(tx)
    .updateTable('access_token')
    .set({ revoked_at: now })
    .where(where)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** Brings the end forward to `at`; tokens that end earlier keep their end. */
export async function endTokens(
  tx: Transaction,
  { where, at }: { readonly where: Expression<SqlBool>; readonly at: number },
): Promise<void> {
  await kyselyOf(tx)
    .updateTable('access_token')
    .set({ expires_at: at })
    .where(where)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', at)]))
    .execute()
}
