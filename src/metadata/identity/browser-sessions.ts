/**
 * Browser sessions are stored as hashes. Each is valid until someone ends it, it is idle for too long, it expires, or its
 * account's credentials change.
 */
import { sql } from 'kysely'
import type { SqlBool } from 'kysely'
import { stateOf } from './accounts.ts'
import type { AccountState } from './accounts.ts'
import type { Reader, Transaction } from '../handles.ts'
import { deleteLeastUsed, findCredentialHolder, noteUses } from './credentials.ts'
import { hasRowLocks, kyselyOf } from '../sql/database.ts'
import { deleteSome } from '../sql/delete-rows.ts'
import { createRowReader } from '../sql/row-reader.ts'
import { storableOrNull, storableText } from '../sql/storable-text.ts'

export interface NewBrowserSession {
  readonly tokenHash: string
  readonly accountId: number
  readonly credentialVersion: number
  readonly now: number
  readonly expiresAt: number
  readonly address: string
  readonly client: string | undefined
}

export interface BrowserSession {
  readonly id: number
  readonly accountId: number
  readonly credentialVersion: number
  readonly createdAt: number
  readonly usedAt: number
  readonly expiresAt: number
  readonly address: string
  readonly client: string | undefined
}

const columns = [
  'id',
  'account_id',
  'credential_version',
  'created_at',
  'used_at',
  'expires_at',
  'address',
  'client',
] as const

const sessionOf = createRowReader(columns)

/**
 * Adds a session and deletes all but the account's `keep` most recently used sessions; the new one counts as used. Expired
 * sessions are deleted first.
 */
export async function insertBrowserSession(
  tx: Transaction,
  session: NewBrowserSession,
  keep: number,
): Promise<number> {
  const kysely = kyselyOf(tx)
  const { id } = await kysely
    .insertInto('browser_session')
    .values({
      token_hash: session.tokenHash,
      account_id: session.accountId,
      credential_version: session.credentialVersion,
      created_at: session.now,
      used_at: session.now,
      expires_at: session.expiresAt,
      address: storableText(session.address),
      client: storableOrNull(session.client),
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  const rows = await kysely
    .selectFrom('browser_session')
    .select(['id', 'used_at', 'expires_at'])
    .where('account_id', '=', session.accountId)
    .execute()
  const all = rows.map((row) => {
    return { id: row.id, usedAt: row.used_at, isOver: row.expires_at <= session.now }
  })
  await deleteLeastUsed(tx, 'browser_session', { all, keep, newest: id })
  return id
}

/** Returns the session with the current state of its account; the caller compares the two. */
export async function findBrowserSession(
  db: Reader,
  tokenHash: string,
): Promise<{ readonly session: BrowserSession; readonly account: AccountState } | undefined> {
  const row = await kyselyOf(db)
    .selectFrom('browser_session')
    .innerJoin('account', 'account.id', 'browser_session.account_id')
    .select(columns.map((column) => `browser_session.${column}` as const))
    .select(['account.kind', 'account.name', 'account.is_admin', 'account.disabled'])
    .select('account.credential_version as account_version')
    .where('browser_session.token_hash', '=', tokenHash)
    .executeTakeFirst()
  if (row === undefined) return undefined
  return { session: sessionOf(row), account: stateOf({ ...row, credential_version: row.account_version }) }
}

/** Returns the session, also if it has expired. No other transaction can end it until this one ends. */
export async function holdBrowserSession(tx: Transaction, id: number): Promise<BrowserSession | undefined> {
  const query = kyselyOf(tx).selectFrom('browser_session').select(columns).where('id', '=', id)
  const row = await (hasRowLocks(tx) ? query.forKeyShare() : query).executeTakeFirst()
  return row && sessionOf(row)
}

/** Lists the sessions of one account, oldest first, including expired ones until the job removes them. */
export async function listBrowserSessions(db: Reader, accountId: number): Promise<BrowserSession[]> {
  const rows = await kyselyOf(db)
    .selectFrom('browser_session')
    .select(columns)
    .where('account_id', '=', accountId)
    .orderBy('id')
    .execute()
  return rows.map(sessionOf)
}

/** Returns the name of the session's account, or `undefined` if the session does not exist. */
export function findBrowserSessionHolder(db: Reader, id: number): Promise<string | undefined> {
  return findCredentialHolder(db, 'browser_session', id)
}

/**
 * Sets the time of use for each id. A row whose use was recorded after `before` is not changed, unless its time is in the future.
 */
export function noteBrowserSessionUses(
  tx: Transaction,
  uses: ReadonlyMap<number, number>,
  before: number,
): Promise<void> {
  return noteUses(tx, 'browser_session', { uses, before })
}

/** Deletes a session, only of this account if one is given, and returns whether it existed. */
export async function deleteBrowserSession(
  tx: Transaction,
  { id, accountId }: { readonly id: number; readonly accountId?: number | undefined },
): Promise<boolean> {
  let query = kyselyOf(tx).deleteFrom('browser_session').where('id', '=', id)
  if (accountId !== undefined) query = query.where('account_id', '=', accountId)
  const result = await query.executeTakeFirst()
  return result.numDeletedRows > 0n
}

/**
 * Deletes sessions that expired at `now` or before, or were last used at `usedBefore` or before, at most `limit` of each
 * kind. Returns their number.
 */
export async function deleteExpiredBrowserSessions(
  tx: Transaction,
  options: { readonly now: number; readonly usedBefore: number; readonly limit: number },
): Promise<number> {
  const { now, usedBefore, limit } = options
  let deleted = 0
  for (const [column, until] of [
    ['expires_at', now],
    ['used_at', usedBefore],
  ] as const) {
    const where = sql<SqlBool>`${sql.ref(column)} <= ${until}`
    deleted += await deleteSome(tx, 'browser_session', { key: ['id'], where, orderBy: column, limit })
  }
  return deleted
}
