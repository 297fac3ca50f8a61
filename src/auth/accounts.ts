/** What operators do with accounts. Every change counts from the next request on, in every process. */
import {
  findAccount,
  insertAccount,
  listAccounts,
  setAccountDisabled,
  setAccountPassword,
} from '../metadata/accounts.ts'
import type { Account } from '../metadata/accounts.ts'
import type { AuditEntry } from '../metadata/audit-trail.ts'
import { Conflict } from '../metadata/errors.ts'
import type { Reader } from '../metadata/handles.ts'
import { findOwner } from '../metadata/owners.ts'
import { listRepositories } from '../metadata/list-repositories.ts'
import { AccountExistsError, AccountUnknownError, OwnerTakenError } from './account-errors.ts'
import type { Actor } from './actor.ts'
import type { AccountsDeps } from './accounts-deps.ts'
import { createFirstAdministrator, forgetInitialPassword } from './first-administrator.ts'
import type { FirstAdministrator } from './first-administrator.ts'
import { checkAccountName, checkPassword } from './password-rules.ts'

export type { Account, FirstAdministrator }

export interface NewUser {
  readonly name: string
  readonly password: string
  readonly isAdmin: boolean
  /** Also when repositories exist below the name: the user gets them. */
  readonly adopt?: boolean
}

export interface Accounts {
  /** Throws `AccountNameError`, `PasswordRefusedError`, `AccountExistsError`, `OwnerTakenError`. */
  add(user: NewUser, actor: Actor): Promise<void>
  /** In byte order of the names, after `after` (exclusive). */
  list(page: { readonly after?: string | undefined; readonly limit: number }): Promise<Account[]>
  find(name: string): Promise<Account | undefined>
  /** Ends all sessions and tokens of the account. Throws `AccountUnknownError`. */
  disable(name: string, actor: Actor): Promise<void>
  /** Throws `AccountUnknownError`. */
  enable(name: string, actor: Actor): Promise<void>
  /** Ends all sessions and tokens of the account. Throws `AccountUnknownError`, `PasswordRefusedError`. */
  setPassword(name: string, password: string, actor: Actor): Promise<void>
  /**
   * Where there is no account at all, makes an administrator; without a password with a generated one, kept in `file`
   * until it is changed. `undefined` when there are accounts.
   */
  ensureFirstAdministrator(options: {
    readonly name: string
    readonly password?: string | undefined
  }): Promise<FirstAdministrator | undefined>
}

export function createAccounts(deps: AccountsDeps): Accounts {
  const { metadata } = deps
  return {
    add: (user, actor) => addUser(deps, user, actor),
    list: (page) => listAccounts(metadata.reader, page),
    find: (name) => findWithoutHash(metadata.reader, name),
    disable: (name, actor) => setDisabled(deps, { name, disabled: true }, actor),
    enable: (name, actor) => setDisabled(deps, { name, disabled: false }, actor),
    setPassword: (name, password, actor) => setPassword(deps, { name, password }, actor),
    ensureFirstAdministrator: (options) => createFirstAdministrator(deps, options),
  }
}

async function addUser(deps: AccountsDeps, user: NewUser, actor: Actor): Promise<void> {
  const { name, password, isAdmin } = user
  const { metadata, passwords, clock } = deps
  checkAccountName(name)
  checkPassword(name, password)
  if ((await findAccount(metadata.reader, name)) !== undefined) throw new AccountExistsError(name)
  const passwordHash = await passwords.hash(password)
  try {
    await metadata.transact(async (tx) => {
      if (user.adopt !== true && (await hasRepositories(tx, name))) throw new OwnerTakenError(name)
      await insertAccount(tx, { name, passwordHash, isAdmin, now: clock.now() })
      await deps.audit.change(tx, actor, entryOf('user.create', name, { isAdmin }))
    })
  } catch (error) {
    if (error instanceof Conflict) throw new AccountExistsError(name, { cause: error })
    throw error
  }
}

async function hasRepositories(db: Reader, owner: string): Promise<boolean> {
  if ((await findOwner(db, owner)) === undefined) return false
  const visible = { all: false, public: false, owner } as const
  return (await listRepositories(db, { limit: 1, visible })).length > 0
}

async function findWithoutHash(db: Reader, name: string): Promise<Account | undefined> {
  const found = await findAccount(db, name)
  if (found === undefined) return undefined
  const { passwordHash: _, ...account } = found
  return account
}

async function setDisabled(
  { metadata, audit }: AccountsDeps,
  change: { readonly name: string; readonly disabled: boolean },
  actor: Actor,
): Promise<void> {
  const found = await metadata.transact(async (tx) => {
    if (!(await setAccountDisabled(tx, change))) return false
    await audit.change(tx, actor, entryOf(change.disabled ? 'user.disable' : 'user.enable', change.name))
    return true
  })
  if (!found) throw new AccountUnknownError(change.name)
}

async function setPassword(
  deps: AccountsDeps,
  { name, password }: { readonly name: string; readonly password: string },
  actor: Actor,
): Promise<void> {
  const { metadata, passwords, clock } = deps
  checkPassword(name, password)
  const account = await findAccount(metadata.reader, name)
  if (account === undefined) throw new AccountUnknownError(name)
  const passwordHash = await passwords.hash(password)
  await metadata.transact(async (tx) => {
    await setAccountPassword(tx, { name, passwordHash, now: clock.now() })
    await deps.audit.change(tx, actor, entryOf('user.password', name))
  })
  await forgetInitialPassword(deps, account.passwordHash)
}

function entryOf(action: AuditEntry['action'], name: string, detail?: AuditEntry['detail']): AuditEntry {
  return { action, outcome: 'done', target: { kind: 'user', name }, detail }
}
