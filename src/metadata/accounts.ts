/** Accounts: who may log in. A request asks `isAccountUnchanged` each time, so that a change counts at once everywhere. */
import { sql } from 'kysely'
import { Conflict } from './errors.ts'
import type { Reader, Transaction } from './handles.ts'
import { compileOnce } from './sql/compile-once.ts'
import { kyselyOf } from './sql/database.ts'

/** What a cached proof of identity is compared with. */
export interface AccountState {
  readonly name: string
  readonly isAdmin: boolean
  readonly disabled: boolean
  /** Rises with each change that ends what was proven before. */
  readonly credentialVersion: number
}

export interface Account extends AccountState {
  readonly id: number
  readonly createdAt: number
  readonly passwordSetAt: number
}

export interface NewAccount {
  readonly name: string
  readonly passwordHash: string
  readonly isAdmin: boolean
  readonly now: number
}

interface StateRow {
  name: string
  is_admin: 0 | 1
  disabled: 0 | 1
  credential_version: number
}

const unchangedAccount = compileOnce<
  { id: number; isAdmin: 0 | 1; credentialVersion: number },
  { id: number }
>(({ kysely, parameter }) =>
  kysely
    .selectFrom('account')
    .select('id')
    .where('id', '=', parameter('id'))
    .where('disabled', '=', sql.lit(0))
    .where('is_admin', '=', parameter('isAdmin'))
    .where('credential_version', '=', parameter('credentialVersion')),
)

const accountState = compileOnce<{ id: number }, StateRow>(({ kysely, parameter }) =>
  kysely
    .selectFrom('account')
    .select(['name', 'is_admin', 'disabled', 'credential_version'])
    .where('id', '=', parameter('id')),
)

export async function findAccountState(db: Reader, id: number): Promise<AccountState | undefined> {
  const row = await accountState.first(db, { id })
  return row && stateOf(row)
}

/**
 * Whether the account is there, enabled, and in all else as it was. Asked with each request that carries credentials;
 * on SQLite it answers at once.
 */
export function isAccountUnchanged(
  db: Reader,
  account: { readonly id: number; readonly isAdmin: boolean; readonly credentialVersion: number },
): boolean | Promise<boolean> {
  const { id, isAdmin, credentialVersion } = account
  const found = unchangedAccount.first(db, { id, isAdmin: isAdmin ? 1 : 0, credentialVersion })
  return found instanceof Promise ? found.then((row) => row !== undefined) : found !== undefined
}

/** With the hash of its password; a disabled account is found too. */
export async function findAccount(
  db: Reader,
  name: string,
): Promise<(Account & { readonly passwordHash: string }) | undefined> {
  const row = await kyselyOf(db).selectFrom('account').selectAll().where('name', '=', name).executeTakeFirst()
  return row === undefined ? undefined : { ...accountOf(row), passwordHash: row.password_hash }
}

export async function hasAccounts(db: Reader): Promise<boolean> {
  const row = await kyselyOf(db)
    .selectFrom('account')
    .select('id')
    .where('name', '>', sql.lit(''))
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** In byte order of the names, after `after` (exclusive). */
export async function listAccounts(
  db: Reader,
  page: { readonly after?: string | undefined; readonly limit: number },
): Promise<Account[]> {
  const rows = await kyselyOf(db)
    .selectFrom('account')
    .selectAll()
    .where('name', '>', page.after ?? '')
    .orderBy('name')
    .limit(page.limit)
    .execute()
  return rows.map(accountOf)
}

/**
 * Makes the account and the owner of its name, or makes an owner that exists a user. Throws `Conflict` when there is
 * an account of that name.
 */
export async function insertAccount(tx: Transaction, account: NewAccount): Promise<number> {
  const kysely = kyselyOf(tx)
  const row = await kysely
    .insertInto('account')
    .values({
      name: account.name,
      password_hash: account.passwordHash,
      is_admin: account.isAdmin ? 1 : 0,
      disabled: 0,
      credential_version: 1,
      created_at: account.now,
      password_set_at: account.now,
    })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning('id')
    .executeTakeFirst()
  if (row === undefined) throw new Conflict(`there is an account ${account.name}`)
  await kysely
    .insertInto('owner')
    .values({ name: account.name, kind: 'user', visibility: 'public', created_at: account.now })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ kind: 'user' }))
    .execute()
  return row.id
}

/** Ends all that was proven before. `false` when there is no such account. */
export function setAccountPassword(
  tx: Transaction,
  change: { readonly name: string; readonly passwordHash: string; readonly now: number },
): Promise<boolean> {
  return updateAccount(tx, change.name, { password_hash: change.passwordHash, password_set_at: change.now })
}

/** Ends all that was proven before: enabling an account revives no old token. `false` when there is no such account. */
export function setAccountDisabled(
  tx: Transaction,
  change: { readonly name: string; readonly disabled: boolean },
): Promise<boolean> {
  return updateAccount(tx, change.name, { disabled: change.disabled ? 1 : 0 })
}

async function updateAccount(
  tx: Transaction,
  name: string,
  columns:
    | { readonly password_hash: string; readonly password_set_at: number }
    | { readonly disabled: 0 | 1 },
): Promise<boolean> {
  const kysely = kyselyOf(tx)
  const row = await kysely
    .updateTable('account')
    .set((eb) => ({ ...columns, credential_version: eb('credential_version', '+', 1) }))
    .where('name', '=', name)
    .returning('id')
    .executeTakeFirst()
  if (row === undefined) return false
  await kysely.deleteFrom('refresh_token').where('account_id', '=', row.id).execute()
  return true
}

function stateOf(row: StateRow): AccountState {
  return {
    name: row.name,
    isAdmin: row.is_admin === 1,
    disabled: row.disabled === 1,
    credentialVersion: row.credential_version,
  }
}

function accountOf(row: StateRow & { id: number; created_at: number; password_set_at: number }): Account {
  return { ...stateOf(row), id: row.id, createdAt: row.created_at, passwordSetAt: row.password_set_at }
}
