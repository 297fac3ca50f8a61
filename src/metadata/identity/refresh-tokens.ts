/** Refresh tokens are stored as hashes. Each is valid until it is revoked or its account's credentials change. */
import { sql } from 'kysely'
import { andThen } from '../../lib/maybe-promise.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import { isAsProven, provenParameters } from './accounts.ts'
import type { ProvenAccount, ProvenParameters } from './accounts.ts'
import type { Reader, Transaction } from '../handles.ts'
import { deleteLeastUsed, findCredentialHolder } from './credentials.ts'
import { compileOnce } from '../sql/compile-once.ts'
import { kyselyOf } from '../sql/database.ts'
import { createRowReader } from '../sql/row-reader.ts'
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

const columns = ['id', 'account_id', 'credential_version', 'client_id', 'created_at', 'used_at'] as const

const tokenOf = createRowReader(columns)

const unchangedRefreshToken = compileOnce<ProvenParameters & { refreshTokenId: number }, { id: number }>(
  ({ kysely, parameter }) =>
    kysely
      .selectFrom('refresh_token')
      .innerJoin('account', 'account.id', 'refresh_token.account_id')
      .select('refresh_token.id')
      .where('refresh_token.id', '=', parameter('refreshTokenId'))
      .where('account.disabled', '=', sql.lit(0))
      .where(isAsProven(parameter)),
)

/**
 * Whether the refresh token exists, and its account is enabled and otherwise unchanged. Takes one query on every request
 * with a bearer token that was issued from it or with it. On SQLite it answers at once.
 */
export function isRefreshTokenUnchanged(
  db: Reader,
  proven: ProvenAccount & { readonly refreshTokenId: number },
): MaybePromise<boolean> {
  const { refreshTokenId } = proven
  const found = unchangedRefreshToken.first(db, { ...provenParameters(proven), refreshTokenId })
  return andThen(found, (row) => row !== undefined)
}

/**
 * Adds a token and deletes all but the account's `keep` most recently used tokens; the new one counts as used. So a client that
 * logs in for every job neither fills the table nor invalidates a token in use.
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
  await deleteLeastUsed(tx, 'refresh_token', { all, keep, newest: id })
  return id
}

export async function findRefreshToken(db: Reader, tokenHash: string): Promise<RefreshToken | undefined> {
  const row = await kyselyOf(db)
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

/** Lists the tokens of one account, oldest first. */
export async function listRefreshTokens(db: Reader, accountId: number): Promise<RefreshToken[]> {
  const rows = await kyselyOf(db)
    .selectFrom('refresh_token')
    .select(columns)
    .where('account_id', '=', accountId)
    .orderBy('id')
    .execute()
  return rows.map(tokenOf)
}

/** Returns the name of the token's account, or `undefined` if the token does not exist. */
export function findRefreshTokenHolder(db: Reader, id: number): Promise<string | undefined> {
  return findCredentialHolder(db, 'refresh_token', id)
}

/** Deletes a token and returns whether it existed. Bearer tokens that were issued from it or with it end too. */
export async function deleteRefreshToken(tx: Transaction, id: number): Promise<boolean> {
  const result = await kyselyOf(tx).deleteFrom('refresh_token').where('id', '=', id).executeTakeFirst()
  return result.numDeletedRows > 0n
}
