/**
 * A lineage is an access token and the tokens that it rotated itself into: one credential with several secrets, which
 * are revoked together. A rotation by a person begins a new lineage.
 */
import { sql } from 'kysely'
import type { Expression, SqlBool } from 'kysely'
import type { Reader, Transaction } from '../handles.ts'
import { kyselyOf } from '../sql/database.ts'
import { endTokens, revokeTokens } from './token-ends.ts'

/** The properties that a rotation keeps, apart from the token's limits. */
export interface TokenLineage {
  /** The original lifetime in milliseconds; `undefined` if the token does not expire. */
  readonly lifetimeMs: number | undefined
  /** The first token of the lineage, which may be the token itself. */
  readonly firstId: number
}

/** Returns the lineage of a token, also if the token has ended. */
export async function findTokenLineage(db: Reader, id: number): Promise<TokenLineage | undefined> {
  const row = await kyselyOf(db)
    .selectFrom('access_token')
    .select(['lifetime_ms', 'first_id'])
    .where('id', '=', id)
    .executeTakeFirst()
  return row && { lifetimeMs: row.lifetime_ms ?? undefined, firstId: row.first_id ?? id }
}

/**
 * Revokes the first token of a lineage and all tokens that descend from it. Returns the number that were not revoked
 * before.
 */
export function revokeTokenLineage(
  tx: Transaction,
  { firstId, now }: { readonly firstId: number; readonly now: number },
): Promise<number> {
  return revokeTokens(tx, { where: isInLineage(firstId), now })
}

/** Lists the ids of accounts with tokens that this principal created, in ascending order. */
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

/** Revokes all tokens that a principal created, for itself and for robots. Returns the number that were not revoked before. */
export function revokeTokensMadeBy(
  tx: Transaction,
  { createdBy, now }: { readonly createdBy: string; readonly now: number },
): Promise<number> {
  return revokeTokens(tx, { where: sql<SqlBool>`created_by = ${createdBy}`, now })
}

/** Brings the end of the lineage forward to `at`; tokens that end earlier keep their end. */
export function endTokenLineage(
  tx: Transaction,
  { firstId, at }: { readonly firstId: number; readonly at: number },
): Promise<void> {
  return endTokens(tx, { where: isInLineage(firstId), at })
}

/** Matches the first token and all tokens that descend from it. */
function isInLineage(firstId: number): Expression<SqlBool> {
  return sql<SqlBool>`(id = ${firstId} or first_id = ${firstId})`
}
