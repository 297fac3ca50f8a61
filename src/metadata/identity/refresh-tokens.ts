/** Refresh tokens: stored as hashes, each valid until it is revoked or its account's credentials change. */
import { sql } from 'kysely'
import { andThen } from '../../lib/maybe-promise.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import type { ProvenAccount } from './accounts.ts'
import type { Reader, Transaction } from '../handles.ts'
import { findLeastUsed } from './least-used.ts'
import { compileOnce } from '../sql/compile-once.ts'
import { kyselyOf } from '../sql/database.ts'
import { storableOrNull } from '../sql/storable-text.ts'

export interface NewRefreshToken {
  readonly tokenHash: string
  readonly accountId: number
  readonly credentialVersion: number
  readonly clientId: string | undefined
  readonly now: number
}

export interface RefreshToken {
  readonly id: number
  readonly accountId: number
  readonly credentialVersion: number
  readonly clientId: string | undefined
  readonly createdAt: number
  readonly usedAt: number
}

interface TokenRow {
  id: number
  account_id: number
  credential_version: number
  client_id: string | null
  created_at: number
  used_at: number
}

const columns = ['id', 'account_id', 'credential_version', 'client_id', 'created_at', 'used_at'] as const

const unchangedRefreshToken = compileOnce<
  { id: number; name: string; isAdmin: 0 | 1; credentialVersion: number; refreshTokenId: number },
  { id: number }
>(({ kysely, parameter }) =>
  kysely
    .selectFrom('refresh_token')
    .innerJoin('account', 'account.id', 'refresh_token.account_id')
    .select('refresh_token.id')
    .where('refresh_token.id', '=', parameter('refreshTokenId'))
    .where('account.id', '=', parameter('id'))
    .where('account.disabled', '=', sql.lit(0))
    .where('account.name', '=', parameter('name'))
    .where('account.is_admin', '=', parameter('isAdmin'))
    .where('account.credential_version', '=', parameter('credentialVersion')),
)

/**
 * Whether the refresh token exists, and its account is enabled and otherwise unchanged: one query for each request with a
 * bearer token that was issued from it or with it. On SQLite it answers at once.
 */
export function isRefreshTokenUnchanged(
  db: Reader,
  proven: ProvenAccount & { readonly refreshTokenId: number },
): MaybePromise<boolean> {
  const { id, name, isAdmin, credentialVersion, refreshTokenId } = proven
  const asked = { id, name, isAdmin: isAdmin ? 1 : 0, credentialVersion, refreshTokenId } as const
  const found = unchangedRefreshToken.first(db, asked)
  return andThen(found, (row) => row !== undefined)
}

/**
 * Keeps the `keep` tokens of the account that were used last, this one included: a client that logs in with each job
 * neither fills the table nor ends a token that is in use.
 */
export async function insertRefreshToken(
  tx: Transaction,
  token: NewRefreshToken,
  keep: number,
): Promise<number> {
  const kysely = kyselyOf(tx)
  const { id } = await kysely
    .insertInto('refresh_token')
    .values({
      token_hash: token.tokenHash,
      account_id: token.accountId,
      credential_version: token.credentialVersion,
      client_id: storableOrNull(token.clientId),
      created_at: token.now,
      used_at: token.now,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  const rows = await kysely
    .selectFrom('refresh_token')
    .select(['id', 'used_at'])
    .where('account_id', '=', token.accountId)
    .execute()
  const all = rows.map((row) => ({ id: row.id, usedAt: row.used_at, isOver: false }))
  const surplus = findLeastUsed(all, { keep, newest: id })
  for (const one of surplus) await kysely.deleteFrom('refresh_token').where('id', '=', one).execute()
  return id
}

export async function findRefreshToken(db: Reader, tokenHash: string): Promise<RefreshToken | undefined> {
  const row: TokenRow | undefined = await kyselyOf(db)
    .selectFrom('refresh_token')
    .select(columns)
    .where('token_hash', '=', tokenHash)
    .executeTakeFirst()
  return row === undefined ? undefined : tokenOf(row)
}

export async function touchRefreshToken(
  tx: Transaction,
  use: { readonly id: number; readonly now: number },
): Promise<void> {
  await kyselyOf(tx).updateTable('refresh_token').set({ used_at: use.now }).where('id', '=', use.id).execute()
}

/** Of one account, oldest first. */
export async function listRefreshTokens(db: Reader, accountId: number): Promise<RefreshToken[]> {
  const rows: TokenRow[] = await kyselyOf(db)
    .selectFrom('refresh_token')
    .select(columns)
    .where('account_id', '=', accountId)
    .orderBy('id')
    .execute()
  return rows.map(tokenOf)
}

/** The name of its account. */
export async function findRefreshTokenHolder(db: Reader, id: number): Promise<string | undefined> {
  const row = await kyselyOf(db)
    .selectFrom('refresh_token')
    .innerJoin('account', 'account.id', 'refresh_token.account_id')
    .select('account.name')
    .where('refresh_token.id', '=', id)
    .executeTakeFirst()
  return row?.name
}

/** Returns whether there was one. Bearer tokens that were issued from it or with it end with it. */
export async function deleteRefreshToken(tx: Transaction, id: number): Promise<boolean> {
  const result = await kyselyOf(tx).deleteFrom('refresh_token').where('id', '=', id).executeTakeFirst()
  return result.numDeletedRows > 0n
}

function tokenOf(row: TokenRow): RefreshToken {
  return {
    id: row.id,
    accountId: row.account_id,
    credentialVersion: row.credential_version,
    clientId: row.client_id ?? undefined,
    createdAt: row.created_at,
    usedAt: row.used_at,
  }
}
