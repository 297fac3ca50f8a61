/** Manages users and their passwords; robots are in `robots.ts`. Every change takes effect with the next request, in every process. */
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
  /** Allows the name of an existing organization: the user takes over its repositories. */
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
   * Registers a user without a login, if the configuration allows it; throttled like a login. Throws `RegistrationOffError`,
   * `TooManyAttemptsError`, and the errors of `add`.
   */
  register(user: Registration, origin: Origin): Promise<void>
  /** Lists accounts in byte order of their names, after `after` (exclusive). */
  list(page: { readonly after?: string | undefined; readonly limit: number }): Promise<Account[]>
  find(name: string): Promise<Account | undefined>
  /**
   * Ends all sessions, bearer and refresh tokens; access tokens become valid again when the account is enabled. Throws
   * `AccountUnknownError`, `LastAdministratorError`.
   */
  disable(name: string, actor: Actor): Promise<void>
  /** Throws `AccountUnknownError`. */
  enable(name: string, actor: Actor): Promise<void>
  /**
   * Promotes a user to administrator or demotes them; a change ends all sessions, bearer and refresh tokens. Throws
   * `AccountUnknownError`, `LastAdministratorError`.
   */
  setAdministrator(name: string, isAdmin: boolean, actor: Actor): Promise<void>
  /** Ends all sessions, bearer and refresh tokens; access tokens stay. Throws `AccountUnknownError`, `PasswordRefusedError`. */
  setPassword(name: string, password: string, actor: Actor): Promise<void>
  /**
   * Changes the password of a user who knows the old one, which is checked and throttled like a login. Ends the same credentials as
   * `setPassword`. Throws the errors of `Authenticator.login`, `PasswordRefusedError`, `PasswordChangedError`.
   */
  changePassword(change: PasswordChange, origin: Origin): Promise<void>
  /**
   * Creates an administrator if no account exists. Without a given password it generates one and keeps it in `file` until it is
   * changed. Returns `undefined` if accounts exist.
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

/** Without an administrator, no new one could be created. Throws `LastAdministratorError`. */
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
  /** The version of the credentials to replace; `undefined`: any. */
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
