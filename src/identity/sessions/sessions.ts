/**
 * @module Browser sessions: a login with name and password starts one, a cookie carries it, and it ends when the user ends it,
 * when it expires, or when the account's credentials change. The end takes effect with the next request, in every process. Each
 * login creates a new random id, so that no one can plant one.
 */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import type { AccountState } from '../../metadata/identity/accounts.ts'
import type { AuditTrail } from '../../metadata/audit/audit-trail.ts'
import {
  deleteBrowserSession,
  findBrowserSession,
  findBrowserSessionHolder,
  insertBrowserSession,
  listBrowserSessions,
} from '../../metadata/identity/browser-sessions.ts'
import type { BrowserSession } from '../../metadata/identity/browser-sessions.ts'
import type { Transaction } from '../../metadata/handles.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import { actorOf } from '../actor.ts'
import type { Actor } from '../actor.ts'
import { csrfTokenOf } from './csrf.ts'
import { needsPassword } from '../errors.ts'
import type { Authenticator, Origin } from '../identity.ts'
import type { AccountPrincipal } from '../principal.ts'
import { hashSecret } from '../secret-hash.ts'
import { formatSessionCookie, readSessionCookie } from './session-cookie.ts'
import type { UseNotes } from '../use-notes.ts'

export interface Session {
  readonly id: number
  readonly principal: AccountPrincipal
  /** The token for pages of this registry, see `csrf.ts`. */
  readonly csrfToken: string
  /** The latest end of the session. */
  readonly expiresAt: number
}

export interface BegunSession extends Session {
  /** Formats a value for `Set-Cookie`. */
  cookie(options: { readonly secure: boolean }): string
}

export interface Sessions {
  /**
   * Starts a session that replaces the one in the browser's `Cookie` header. Throws the errors of `Authenticator.login`, and
   * `CredentialsError` for an access token, because a session would outlive its limits.
   */
  login(
    credentials: { readonly name: string; readonly password: string },
    origin: Origin,
    cookieHeader?: string,
  ): Promise<BegunSession>
  /** Finds the session of a `Cookie` header; `undefined` if there is no valid one. */
  find(cookieHeader: string | undefined): Promise<Session | undefined>
  /** Lists the sessions of an account, oldest first. */
  list(accountId: number): Promise<BrowserSession[]>
  /** Returns whether the session existed; only of this account, if given. */
  end(id: number, actor: Actor, accountId?: number): Promise<boolean>
}

export interface SessionsDeps {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly audit: AuditTrail
  readonly authenticator: Pick<Authenticator, 'login'>
  readonly uses: Pick<UseNotes, 'note'>
  /** A session ends after this time without a request. */
  readonly idleMs: number
  readonly lifetimeMs: number
}

const secretBytes = 32
const maxSessionsPerAccount = 100
/** The longest delay before a use is recorded; a session may end this much earlier. */
export const noteSessionEveryMs = 5 * 60_000

export function createSessions(deps: SessionsDeps): Sessions {
  return {
    login: (credentials, origin, cookieHeader) => login(deps, credentials, { origin, cookieHeader }),
    find: (cookieHeader) => find(deps, cookieHeader),
    list: (accountId) => list(deps, accountId),
    end: (id, actor, accountId) => end(deps, { id, accountId }, actor),
  }
}

async function login(
  deps: SessionsDeps,
  credentials: { readonly name: string; readonly password: string },
  { origin, cookieHeader }: { readonly origin: Origin; readonly cookieHeader: string | undefined },
): Promise<BegunSession> {
  const { metadata, clock, audit, authenticator, lifetimeMs } = deps
  const proven = await authenticator.login(credentials, origin)
  const { credentialVersion } = proven.kind === 'user' ? proven : {}
  if (proven.kind !== 'user' || proven.credential !== 'password' || credentialVersion === undefined) {
    throw needsPassword()
  }
  const secret = randomBytes(secretBytes).toString('base64url')
  const { accountId, name } = proven
  const now = clock.now()
  const expiresAt = now + lifetimeMs
  const { address, client } = origin
  const row = { tokenHash: hashSecret(secret), accountId, credentialVersion, now, expiresAt, address, client }
  const before = await find(deps, cookieHeader)
  const actor = actorOf(proven, origin)
  const id = await metadata.transact(async (tx) => {
    if (before !== undefined) await endIn(tx, { id: before.id, accountId: undefined, actor }, audit)
    const inserted = await insertBrowserSession(tx, row, maxSessionsPerAccount)
    await audit.change(tx, actor, {
      action: 'session.create',
      outcome: 'done',
      target: { kind: 'user', name },
      detail: { session: inserted },
    })
    return inserted
  })
  return {
    id,
    principal: { ...proven, credential: `session:${id}` },
    csrfToken: csrfTokenOf(secret),
    expiresAt,
    cookie: ({ secure }) =>
      formatSessionCookie(secret, { secure, maxAgeSeconds: Math.floor(lifetimeMs / 1000) }),
  }
}

/** Reads the session with the current state of its account in one query. */
async function find(deps: SessionsDeps, cookieHeader: string | undefined): Promise<Session | undefined> {
  const secret = readSessionCookie(cookieHeader)
  if (secret === undefined) return undefined
  const found = await findBrowserSession(deps.metadata.reader, hashSecret(secret))
  if (found === undefined) return undefined
  const { session, account } = found
  if (!isOpen(session, deps) || !isUnchanged(session, account)) return undefined
  const { id, accountId, expiresAt } = session
  deps.uses.note(id)
  const { kind, name, isAdmin, credentialVersion } = account
  const credential = `session:${id}`
  return {
    id,
    principal: { kind, accountId, name, isAdmin, scopes: undefined, credentialVersion, credential },
    csrfToken: csrfTokenOf(secret),
    expiresAt,
  }
}

async function list(deps: SessionsDeps, accountId: number): Promise<BrowserSession[]> {
  const all = await listBrowserSessions(deps.metadata.reader, accountId)
  return all.filter((session) => isOpen(session, deps))
}

async function end(
  { metadata, audit }: SessionsDeps,
  session: { readonly id: number; readonly accountId: number | undefined },
  actor: Actor,
): Promise<boolean> {
  return metadata.transact((tx) => endIn(tx, { ...session, actor }, audit))
}

async function endIn(
  tx: Transaction,
  { id, accountId, actor }: { readonly id: number; readonly accountId: number | undefined; actor: Actor },
  audit: AuditTrail,
): Promise<boolean> {
  const name = await findBrowserSessionHolder(tx, id)
  if (name === undefined || !(await deleteBrowserSession(tx, { id, accountId }))) return false
  await audit.change(tx, actor, {
    action: 'session.end',
    outcome: 'done',
    target: { kind: 'user', name },
    detail: { session: id },
  })
  return true
}

/** A last use in the future, recorded by a clock that was ahead, must not keep a session open for years. */
function isOpen(
  { expiresAt, usedAt }: BrowserSession,
  { clock, idleMs }: Pick<SessionsDeps, 'clock' | 'idleMs'>,
): boolean {
  const now = clock.now()
  return now < expiresAt && Math.abs(now - usedAt) < idleMs
}

function isUnchanged({ credentialVersion }: BrowserSession, account: AccountState): boolean {
  return !account.disabled && account.credentialVersion === credentialVersion
}
