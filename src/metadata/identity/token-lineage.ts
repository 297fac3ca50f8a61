/**
 * An access token and those that it rotated itself into are a lineage: one credential with several secrets, which are
 * revoked together. A rotation by a person begins a new lineage.
 */
import type { Reader, Transaction } from '../handles.ts'
import { kyselyOf } from '../sql/database.ts'

/** What a rotation keeps of a token besides its limits. */
export interface TokenLineage {
  /** The lifetime in milliseconds that it was made with; `undefined`: it has no end but revocation. */
  readonly lifetimeMs: number | undefined
  /** The first token of the lineage, which may be the token itself. */
  readonly firstId: number
}

/** Also finds the lineage of a token that has ended. */
export async function findTokenLineage(db: Reader, id: number): Promise<TokenLineage | undefined> {
  const row = await kyselyOf(db)
    .selectFrom('access_token')
    .select(['lifetime_ms', 'first_id'])
    .where('id', '=', id)
    .executeTakeFirst()
  return row && { lifetimeMs: row.lifetime_ms ?? undefined, firstId: row.first_id ?? id }
}

/** Revokes a token and all that rotated themselves out of it; returns how many were not revoked before. */
export async function revokeTokenLineage(
  tx: Transaction,
  { firstId, now }: { readonly firstId: number; readonly now: number },
): Promise<number> {
  const result = await kyselyOf(tx)
    .updateTable('access_token')
    .set({ revoked_at: now })
    .where((eb) => eb.or([eb('id', '=', firstId), eb('first_id', '=', firstId)]))
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** Lists the accounts that have tokens which this principal made, in the order of their ids. */
export async function listAccountsWithTokensBy(db: Reader, createdBy: string): Promise<number[]> {
  const rows = await kyselyOf(db)
    .selectFrom('access_token')
    .select('account_id')
    .distinct()
    .where('created_by', '=', createdBy)
    .where('revoked_at', 'is', null)
    .orderBy('account_id')
    .execute()
  return rows.map((row) => row.account_id)
}

/** Revokes all tokens that a principal made, for itself and for robots; returns how many were not revoked before. */
export async function revokeTokensMadeBy(
  tx: Transaction,
  { createdBy, now }: { readonly createdBy: string; readonly now: number },
): Promise<number> {
  const result = await kyselyOf(tx)
    .updateTable('access_token')
    .set({ revoked_at: now })
    .where('created_by', '=', createdBy)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** Brings the end of the lineage forward to `at`; tokens that end earlier keep their end. */
export async function endTokenLineage(
  tx: Transaction,
  { firstId, at }: { readonly firstId: number; readonly at: number },
): Promise<void> {
  await kyselyOf(tx)
    .updateTable('access_token')
    .set({ expires_at: at })
    .where((eb) => eb.or([eb('id', '=', firstId), eb('first_id', '=', firstId)]))
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', at)]))
    .execute()
}
