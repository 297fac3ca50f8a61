/**
 * An access token and those that it rotated itself into are a lineage: one credential with several secrets, which are
 * revoked together. A rotation by a person begins a new lineage.
 */
import { sql } from 'kysely'
import type { Expression, SqlBool } from 'kysely'
import type { Reader, Transaction } from '../handles.ts'
import { kyselyOf } from '../sql/database.ts'
import { endTokens, revokeTokens } from './token-ends.ts'

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
export function revokeTokenLineage(
  tx: Transaction,
  { firstId, now }: { readonly firstId: number; readonly now: number },
): Promise<number> {
  return revokeTokens(tx, { where: isInLineage(firstId), now })
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

/** The token and all that rotated themselves out of it. */
function isInLineage(firstId: number): Expression<SqlBool> {
  return sql<SqlBool>`(id = ${firstId} or first_id = ${firstId})`
}
