/**
 * Accounts: the users and robots that may log in. Every request calls `isAccountUnchanged`, so that a change takes
 * effect at once everywhere.
 */
import { sql } from 'kysely'
import type { RawBuilder, SqlBool } from 'kysely'
import { andThen } from '../../lib/maybe-promise.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import { Conflict } from '../errors.ts'
import type { Reader, Transaction } from '../handles.ts'
import { OwnerNameTaken } from '../owners/owner-errors.ts'
import { refuseFormerName } from '../owners/owners.ts'
import { compileOnce } from '../sql/compile-once.ts'
import type { TemplateInput } from '../sql/compile-once.ts'
import { hasRowLocks, kyselyOf } from '../sql/database.ts'
import { deleteInTurns } from '../sql/delete-rows.ts'
import { pageByName } from '../sql/keyset-page.ts'

/** The state that a cached proof of identity is compared with. */
export interface AccountState {
  /** A robot belongs to an owner, has no password and is never an administrator. */
  readonly kind: 'user' | 'robot'
  readonly name: string
  readonly isAdmin: boolean
  readonly disabled: boolean
  /** Rises with each change that invalidates earlier proofs of identity. */
  readonly credentialVersion: number
}

export interface Account extends AccountState {
  readonly id: number
  /** Whether it is a robot whose owner is a disabled user, so that its tokens are not valid either. */
  readonly ownerDisabled: boolean
  readonly createdAt: number
  readonly passwordSetAt: number
}

export interface NewAccount {
  readonly name: string
  readonly passwordHash: string
  readonly isAdmin: boolean
  /** Whether to adopt an existing owner of that name, which then becomes a user. Default `true`. */
  readonly adopt?: boolean
  readonly now: number
}

export interface NewRobot {
  /** `<owner>+<name>` */
  readonly name: string
  readonly ownerId: number
  readonly now: number
}

export interface StateRow {
  kind: 'user' | 'robot'
  name: string
  is_admin: 0 | 1
  disabled: 0 | 1
  credential_version: number
}

const ownerOut = sql`exists (
  select 1 from owner inner join account as holder on holder.name = owner.name
  where owner.id = account.owner_id and owner.kind = 'user' and holder.kind = 'user' and holder.disabled = 1
)`

const isOwnerDisabled = sql<0 | 1>`case when ${ownerOut} then 1 else 0 end`

/** Whether all credentials of a row of `account` are invalid, because it is disabled or a robot of a disabled user. */
export const isOut = sql<0 | 1>`case when account.disabled = 1 or ${ownerOut} then 1 else 0 end`

export interface ProvenParameters {
  readonly id: number
  readonly name: string
  readonly isAdmin: 0 | 1
  readonly credentialVersion: number
}

/** Whether everything that a proof of identity relies on is unchanged in a row of `account`. */
export function isAsProven(parameter: TemplateInput<ProvenParameters>['parameter']): RawBuilder<SqlBool> {
  return sql<SqlBool>`account.id = ${parameter('id')} and account.name = ${parameter('name')}
    and account.is_admin = ${parameter('isAdmin')}
    and account.credential_version = ${parameter('credentialVersion')}`
}

/** Returns the parameters of `isAsProven`. */
export function provenParameters({ id, name, isAdmin, credentialVersion }: ProvenAccount): ProvenParameters {
  return { id, name, isAdmin: isAdmin ? 1 : 0, credentialVersion }
}

const unchangedAccount = compileOnce<ProvenParameters, { id: number }>(({ kysely, parameter }) =>
  kysely.selectFrom('account').select('id').where('disabled', '=', sql.lit(0)).where(isAsProven(parameter)),
)

const accountState = compileOnce<{ id: number }, StateRow>(({ kysely, parameter }) =>
  kysely
    .selectFrom('account')
    .select(['kind', 'name', 'is_admin', 'disabled', 'credential_version'])
    .where('id', '=', parameter('id')),
)

export async function findAccountState(db: Reader, id: number): Promise<AccountState | undefined> {
  const row = await accountState.first(db, { id })
  return row && stateOf(row)
}

/** The fields of an account that a remembered proof of identity relies on. */
export interface ProvenAccount {
  readonly id: number
  readonly name: string
  readonly isAdmin: boolean
  readonly credentialVersion: number
}

/**
 * Whether the account exists, is enabled and is otherwise unchanged. Runs on every request that carries credentials; on
 * SQLite it answers at once.
 */
export function isAccountUnchanged(db: Reader, account: ProvenAccount): MaybePromise<boolean> {
  const found = unchangedAccount.first(db, provenParameters(account))
  return andThen(found, (row) => row !== undefined)
}

/** Returns the account with the hash of its password, also if it is disabled. */
export async function findAccount(
  db: Reader,
  name: string,
): Promise<(Account & { readonly passwordHash: string }) | undefined> {
  const row = await selectAccounts(db).where('name', '=', name).executeTakeFirst()
  return row === undefined ? undefined : { ...accountOf(row), passwordHash: row.password_hash }
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- the builder's type is the query itself
function selectAccounts(db: Reader) {
  return kyselyOf(db).selectFrom('account').selectAll().select(isOwnerDisabled.as('owner_disabled'))
}

/** Whether there is a user account. Robots do not count, because a robot cannot be an administrator. */
export async function hasAccounts(db: Reader): Promise<boolean> {
  const row = await kyselyOf(db)
    .selectFrom('account')
    .select('id')
    .where('name', '>', sql.lit(''))
    .where('kind', '=', 'user')
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

interface AccountPage {
  readonly after?: string | undefined
  readonly limit: number
}

/** Lists users in byte order of their names, after `after` (exclusive). */
export async function listAccounts(db: Reader, page: AccountPage): Promise<Account[]> {
  const users = selectAccounts(db).where('kind', '=', 'user')
  return (await pageByName(users, 'name', page).execute()).map(accountOf)
}

/** Lists the robots of one owner, or all robots, in byte order of their names, after `after` (exclusive). */
export async function listRobots(
  db: Reader,
  page: AccountPage & { readonly ownerId?: number | undefined },
): Promise<Account[]> {
  let robots = selectAccounts(db).where('kind', '=', 'robot')
  if (page.ownerId !== undefined) robots = robots.where('owner_id', '=', page.ownerId)
  return (await pageByName(robots, 'name', page).execute()).map(accountOf)
}

/**
 * Creates the account and the owner of its name, or turns an existing owner into a user. Throws `Conflict` if an account
 * of that name exists, `OwnerNameTaken` if an owner exists and `adopt` is `false`, and `OwnerRenamed` if the name is an
 * owner's former name.
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
  if (row === undefined) throw new Conflict(`the account ${account.name} already exists`)
  const owner = await kysely
    .insertInto('owner')
    .values({ name: account.name, kind: 'user', visibility: 'public', created_at: account.now })
    .onConflict((conflict) => {
      const taken = conflict.column('name')
      return account.adopt === false ? taken.doNothing() : taken.doUpdateSet({ kind: 'user' })
    })
    .returning('id')
    .executeTakeFirst()
  if (owner === undefined) throw new OwnerNameTaken(account.name)
  await refuseFormerName(tx, account.name)
  return row.id
}

/** Creates the account of a robot. Throws `Conflict` if an account of that name exists. */
export async function insertRobot(tx: Transaction, robot: NewRobot): Promise<number> {
  const row = await kyselyOf(tx)
    .insertInto('account')
    .values({
      name: robot.name,
      kind: 'robot',
      owner_id: robot.ownerId,
      // No password has this hash: a robot cannot log in with one.
      password_hash: '',
      is_admin: 0,
      disabled: 0,
      credential_version: 1,
      created_at: robot.now,
      password_set_at: robot.now,
    })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning('id')
    .executeTakeFirst()
  if (row === undefined) throw new Conflict(`the account ${robot.name} already exists`)
  return row.id
}

/** Deletes an account with its credentials, memberships and grants. The owner of its name stays. */
export async function deleteAccount(tx: Transaction, id: number): Promise<void> {
  const kysely = kyselyOf(tx)
  const isOfAccount = sql<SqlBool>`account_id = ${id}`
  for (const table of ['access_token', 'browser_session', 'refresh_token'] as const) {
    await deleteInTurns(tx, table, { key: ['id'], where: isOfAccount })
  }
  await deleteInTurns(tx, 'team_member', { key: ['team_id', 'account_id'], where: isOfAccount })
  await deleteInTurns(tx, 'organization_member', { key: ['owner_id', 'account_id'], where: isOfAccount })
  await deleteInTurns(tx, 'access_grant', {
    key: ['id'],
    where: sql<SqlBool>`principal_kind = 'account' and principal_id = ${id}`,
  })
  await kysely.deleteFrom('account').where('id', '=', id).execute()
}

/** Locks the account until the transaction ends, so that transactions that count its access tokens wait for each other. */
export async function lockAccount(tx: Transaction, id: number): Promise<void> {
  if (!hasRowLocks(tx)) return
  await kyselyOf(tx).selectFrom('account').select('id').where('id', '=', id).forNoKeyUpdate().execute()
}

/**
 * Sets the password and invalidates earlier proofs of identity. Returns `false` if the account does not exist, or if
 * `credentialVersion` is given and its credentials have changed since.
 */
export function setAccountPassword(
  tx: Transaction,
  change: {
    readonly name: string
    readonly passwordHash: string
    readonly now: number
    readonly credentialVersion?: number | undefined
  },
): Promise<boolean> {
  const { name, passwordHash, now, credentialVersion } = change
  const columns = { password_hash: passwordHash, password_set_at: now }
  return updateAccount(tx, { name, credentialVersion }, columns)
}

/**
 * Enables or disables the account and invalidates earlier proofs of identity, so that enabling it revives no old token.
 * Returns `false` if the account does not exist.
 */
export function setAccountDisabled(
  tx: Transaction,
  change: { readonly name: string; readonly disabled: boolean },
): Promise<boolean> {
  return updateAccount(tx, { name: change.name }, { disabled: change.disabled ? 1 : 0 })
}

/**
 * Grants or removes administrator rights and invalidates earlier proofs of identity. Returns `false` if the account does
 * not exist.
 */
export function setAccountAdministrator(
  tx: Transaction,
  change: { readonly name: string; readonly isAdmin: boolean },
): Promise<boolean> {
  return updateAccount(tx, { name: change.name }, { is_admin: change.isAdmin ? 1 : 0 })
}

async function updateAccount(
  tx: Transaction,
  { name, credentialVersion }: { readonly name: string; readonly credentialVersion?: number | undefined },
  columns:
    | { readonly password_hash: string; readonly password_set_at: number }
    | { readonly disabled: 0 | 1 }
    | { readonly is_admin: 0 | 1 },
): Promise<boolean> {
  const kysely = kyselyOf(tx)
  let update = kysely
    .updateTable('account')
    .set((eb) => ({ ...columns, credential_version: eb('credential_version', '+', 1) }))
    .where('name', '=', name)
  if (credentialVersion !== undefined) update = update.where('credential_version', '=', credentialVersion)
  const row = await update.returning('id').executeTakeFirst()
  if (row === undefined) return false
  await kysely.deleteFrom('refresh_token').where('account_id', '=', row.id).execute()
  await kysely.deleteFrom('browser_session').where('account_id', '=', row.id).execute()
  return true
}

export function stateOf(row: StateRow): AccountState {
  return {
    kind: row.kind,
    name: row.name,
    isAdmin: row.is_admin === 1 && row.kind === 'user',
    disabled: row.disabled === 1,
    credentialVersion: row.credential_version,
  }
}

type AccountRow = StateRow & {
  id: number
  created_at: number
  password_set_at: number
  owner_disabled: 0 | 1
}

function accountOf(row: AccountRow): Account {
  return {
    ...stateOf(row),
    id: row.id,
    ownerDisabled: row.owner_disabled === 1,
    createdAt: row.created_at,
    passwordSetAt: row.password_set_at,
  }
}
