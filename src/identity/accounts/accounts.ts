/** What operators do with users, and users with their own password; robots are in `robots.ts`. Every change counts from the next request on, in every process. */
import {
  findAccount,
  insertAccount,
  listAccounts,
  setAccountAdministrator,
  setAccountDisabled,
  setAccountPassword,
} from '../../metadata/identity/accounts.ts'
import type { Account } from '../../metadata/identity/accounts.ts'
import type { AuditEntry } from '../../metadata/audit/audit-trail.ts'
import { isLastAdministrator } from '../../metadata/identity/administrators.ts'
import { Conflict } from '../../metadata/errors.ts'
import type { Reader, Transaction } from '../../metadata/handles.ts'
import { OwnerNameTaken, OwnerRenamed } from '../../metadata/owners/owner-errors.ts'
import {
  AccountExistsError,
  AccountUnknownError,
  describeTaken,
  FormerNameError,
  LastAdministratorError,
  OwnerTakenError,
  PasswordChangedError,
} from './account-errors.ts'
import { actorOf } from '../actor.ts'
import { requireStanding } from '../actor-standing.ts'
import type { Actor } from '../actor.ts'
import type { AccountsDeps } from './accounts-deps.ts'
import { needsPassword } from '../errors.ts'
import { createFirstAdministrator, forgetInitialPassword } from './first-administrator.ts'
import type { FirstAdministrator } from './first-administrator.ts'
import type { Authenticator, Origin } from '../identity.ts'
import { checkAccountName, checkPassword } from '../passwords/password-rules.ts'
import { register } from './register.ts'
import type { Registration, RegistrationDeps } from './register.ts'

export type { Account, FirstAdministrator }

export interface NewUser {
  readonly name: string
  readonly password: string
  readonly isAdmin: boolean
  /** Also when there is an organization of that name: the user gets what it has. */
  readonly adopt?: boolean
}

export interface PasswordChange {
  readonly name: string
  readonly oldPassword: string
  readonly password: string
}

export interface Accounts {
  /** Throws `AccountNameError`, `PasswordRefusedError`, `AccountExistsError`, `OwnerTakenError`, `FormerNameError`. */
  add(user: NewUser, actor: Actor): Promise<void>
  /**
   * By anyone, where the configuration lets them; slowed down like a login. Throws `RegistrationOffError`,
   * `TooManyAttemptsError`, and as `add`.
   */
  register(user: Registration, origin: Origin): Promise<void>
  /** In byte order of the names, after `after` (exclusive). */
  list(page: { readonly after?: string | undefined; readonly limit: number }): Promise<Account[]>
  find(name: string): Promise<Account | undefined>
  /**
   * Ends all sessions, bearer and refresh tokens; access tokens hold again when it is enabled. Throws `AccountUnknownError`,
   * `LastAdministratorError`.
   */
  disable(name: string, actor: Actor): Promise<void>
  /** Throws `AccountUnknownError`. */
  enable(name: string, actor: Actor): Promise<void>
  /**
   * Makes a user an administrator, or takes that away; a change ends all sessions, bearer and refresh tokens. Throws
   * `AccountUnknownError`, `LastAdministratorError`.
   */
  setAdministrator(name: string, isAdmin: boolean, actor: Actor): Promise<void>
  /** Ends all sessions, bearer and refresh tokens; access tokens stay. Throws `AccountUnknownError`, `PasswordRefusedError`. */
  setPassword(name: string, password: string, actor: Actor): Promise<void>
  /**
   * By the user, who has to know the old one: it is checked and slowed down like a login. Ends what `setPassword` ends.
   * Throws as `Authenticator.login`, `PasswordRefusedError`, `PasswordChangedError`.
   */
  changePassword(change: PasswordChange, origin: Origin): Promise<void>
  /**
   * Where there is no account at all, makes an administrator; without a password with a generated one, kept in `file`
   * until it is changed. `undefined` when there are accounts.
   */
  ensureFirstAdministrator(options: {
    readonly name: string
    readonly password?: string | undefined
  }): Promise<FirstAdministrator | undefined>
}

export type AllAccountsDeps = RegistrationDeps & { readonly authenticator: Pick<Authenticator, 'login'> }

export function createAccounts(deps: AllAccountsDeps): Accounts {
  const { metadata } = deps
  return {
    add: (user, actor) => addUser(deps, user, actor),
    register: (user, origin) =>
      register({ ...deps, add: (added, actor) => addUser(deps, added, actor) }, user, origin),
    list: (page) => listAccounts(metadata.reader, page),
    find: (name) => findWithoutHash(metadata.reader, name),
    disable: (name, actor) => setDisabled(deps, { name, disabled: true }, actor),
    enable: (name, actor) => setDisabled(deps, { name, disabled: false }, actor),
    setAdministrator: (name, isAdmin, actor) => setAdministrator(deps, { name, isAdmin }, actor),
    setPassword: (name, password, actor) => setPassword(deps, { name, password }, actor),
    changePassword: (change, origin) => changePassword(deps, change, origin),
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
      await requireStanding(tx, actor, clock)
      const adopt = user.adopt === true
      await insertAccount(tx, { name, passwordHash, isAdmin, adopt, now: clock.now() })
      await deps.audit.change(tx, actor, entryOf('user.create', name, { isAdmin }))
    })
  } catch (error) {
    if (error instanceof Conflict) throw new AccountExistsError(name, { cause: error })
    if (error instanceof OwnerNameTaken) throw new OwnerTakenError(name, { cause: error })
    if (error instanceof OwnerRenamed) {
      throw new FormerNameError(name, error.newName, { cause: error, discreet: describeTaken(name) })
    }
    throw error
  }
}

async function findWithoutHash(db: Reader, name: string): Promise<Account | undefined> {
  const found = await findAccount(db, name)
  if (found?.kind !== 'user') return undefined
  const { passwordHash: _, ...account } = found
  return account
}

async function setDisabled(
  { metadata, audit, clock }: AccountsDeps,
  change: { readonly name: string; readonly disabled: boolean },
  actor: Actor,
): Promise<void> {
  const { name, disabled } = change
  await metadata.transact(async (tx) => {
    const account = await findWithoutHash(tx, name)
    if (account === undefined) throw new AccountUnknownError(name)
    if (disabled) await requireOtherAdministrator(tx, name)
    else await requireStanding(tx, actor, clock)
    await setAccountDisabled(tx, change)
    await audit.change(tx, actor, entryOf(disabled ? 'user.disable' : 'user.enable', name))
  })
}

async function setAdministrator(
  { metadata, audit, clock }: AccountsDeps,
  change: { readonly name: string; readonly isAdmin: boolean },
  actor: Actor,
): Promise<void> {
  const { name, isAdmin } = change
  await metadata.transact(async (tx) => {
    const account = await findWithoutHash(tx, name)
    if (account === undefined) throw new AccountUnknownError(name)
    if (account.isAdmin === isAdmin) return
    if (!isAdmin) await requireOtherAdministrator(tx, name)
    else await requireStanding(tx, actor, clock)
    await setAccountAdministrator(tx, change)
    await audit.change(tx, actor, entryOf('user.administrator', name, { isAdmin }))
  })
}

/** Nobody could make another one. Throws `LastAdministratorError`. */
async function requireOtherAdministrator(tx: Transaction, name: string): Promise<void> {
  if (await isLastAdministrator(tx, name)) throw new LastAdministratorError(name)
}

async function changePassword(
  deps: AllAccountsDeps,
  { name, oldPassword, password }: PasswordChange,
  origin: Origin,
): Promise<void> {
  checkPassword(name, password)
  const principal = await deps.authenticator.login({ name, password: oldPassword }, origin)
  if (principal.kind !== 'user' || principal.credential !== 'password') throw needsPassword()
  const { credentialVersion } = principal
  await setPassword(deps, { name, password, credentialVersion }, actorOf(principal, origin))
}

interface NewPassword {
  readonly name: string
  readonly password: string
  /** Of the credentials that it replaces; `undefined`: whatever they are. */
  readonly credentialVersion?: number | undefined
}

async function setPassword(
  deps: AccountsDeps,
  { name, password, credentialVersion }: NewPassword,
  actor: Actor,
): Promise<void> {
  const { metadata, passwords, clock } = deps
  checkPassword(name, password)
  const account = await findAccount(metadata.reader, name)
  if (account?.kind !== 'user') throw new AccountUnknownError(name)
  const passwordHash = await passwords.hash(password)
  await metadata.transact(async (tx) => {
    if (credentialVersion === undefined) await requireStanding(tx, actor, clock)
    const change = { name, passwordHash, now: clock.now(), credentialVersion }
    if (!(await setAccountPassword(tx, change))) throw new PasswordChangedError()
    await deps.audit.change(tx, actor, entryOf('user.password', name))
  })
  await forgetInitialPassword(deps, account.passwordHash)
}

function entryOf(action: AuditEntry['action'], name: string, detail?: AuditEntry['detail']): AuditEntry {
  return { action, outcome: 'done', target: { kind: 'user', name }, detail }
}
