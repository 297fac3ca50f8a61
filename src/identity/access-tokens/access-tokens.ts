/**
 * @module
 * Creates, lists, rotates and revokes access tokens. A token is shown once, at its creation; the database stores its hash. Each
 * change takes effect with the next request, in every process. Callers decide who may do it.
 */
import type { Clock } from '../../lib/clock.ts'
import {
  countAccessTokens,
  endAccessToken,
  findAccessToken,
  findTokenHolder,
  insertAccessToken,
  listAccessTokens,
  revokeAccessToken,
  revokeAccessTokensOf,
} from '../../metadata/identity/access-tokens.ts'
import type { AccessToken, NewAccessToken } from '../../metadata/identity/access-tokens.ts'
import { findAccountState, lockAccount } from '../../metadata/identity/accounts.ts'
import type { AccountState } from '../../metadata/identity/accounts.ts'
import type { AuditAction } from '../../metadata/audit/audit-actions.ts'
import type { AuditDetail, AuditEntry, AuditTrail } from '../../metadata/audit/audit-trail.ts'
import type { Transaction } from '../../metadata/handles.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import {
  endTokenLineage,
  findTokenLineage,
  listAccountsWithTokensBy,
  revokeTokenLineage,
  revokeTokensMadeBy,
} from '../../metadata/identity/token-lineage.ts'
import type { TokenLineage } from '../../metadata/identity/token-lineage.ts'
import { requireStanding } from '../actor-standing.ts'
import type { Actor } from '../actor.ts'
import { isLimitedCredential } from '../limited-credentials.ts'
import type { RoleAction } from '../../access/permissions.ts'
import { principalId } from '../principal.ts'
import type { RepositoryPattern } from '../../access/patterns/repository-pattern.ts'
import { hashSecret } from '../secret-hash.ts'
import {
  AccessTokenRefusedError,
  AccessTokenUnknownError,
  TokenForTokenError,
  TooManyAccessTokensError,
} from './access-token-errors.ts'
import { generateToken, hintOf } from './token-format.ts'

export type { AccessToken }

export interface AccessTokenRequest {
  /** A label for people; need not be unique. */
  readonly name: string
  /** `undefined`: all actions of the account. */
  readonly actions?: readonly RoleAction[] | undefined
  /** `undefined`: everywhere. */
  readonly patterns?: readonly RepositoryPattern[] | undefined
  /** Milliseconds; `undefined`: until it is revoked. */
  readonly expiresAt?: number | undefined
}

export interface CreatedAccessToken {
  readonly token: AccessToken
  /** The name of its account. */
  readonly principal: string
  /** The token; show it once. */
  readonly secret: string
}

export interface AccessTokens {
  /** Throws `AccessTokenRefusedError`, `TooManyAccessTokensError`, `TokenForTokenError`. */
  create(accountId: number, request: AccessTokenRequest, actor: Actor): Promise<CreatedAccessToken>
  /** Lists the tokens of an account, oldest first; ended tokens stay in the list for a while. */
  list(page: {
    readonly accountId: number
    readonly after?: number | undefined
    readonly limit: number
  }): Promise<AccessToken[]>
  /** Also finds tokens that have ended. */
  find(id: number): Promise<AccessToken | undefined>
  /**
   * Revokes the token, the tokens that it rotated itself into or from, and their bearer tokens. Returns whether one of
   * them was not revoked before.
   */
  revoke(id: number, actor: Actor): Promise<boolean>
  /** Revokes all tokens of the account, and those that it made for robots. Returns how many. */
  revokeAll(accountId: number, actor: Actor): Promise<number>
  /**
   * Creates a new token with the limits and the lifetime of the old one, which stays valid for at most `overlapMs`. A token that
   * rotates itself gains no time: the new one ends when the old one would have, and is revoked with it. Throws
   * `AccessTokenUnknownError`, `TokenForTokenError`, `TooManyAccessTokensError`.
   */
  rotate(id: number, options: { readonly overlapMs: number }, actor: Actor): Promise<CreatedAccessToken>
}

export interface AccessTokensDeps {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly audit: AuditTrail
}

export const maxTokensPerAccount = 100
const maxNameCharacters = 100
const maxPatterns = 100
/** The last time with a year of four digits. */
const lastTime = Date.UTC(10_000, 0) - 1

export function createAccessTokens(deps: AccessTokensDeps): AccessTokens {
  const { metadata } = deps
  return {
    create: (accountId, request, actor) => create(deps, { accountId, request }, actor),
    list: (page) => listAccessTokens(metadata.reader, page),
    find: (id) => findAccessToken(metadata.reader, id),
    revoke: (id, actor) => metadata.transact((tx) => revoke(tx, { id, actor }, deps)),
    revokeAll: (accountId, actor) => metadata.transact((tx) => revokeAll(tx, { accountId, actor }, deps)),
    rotate: (id, options, actor) => rotate(deps, { id, ...options }, actor),
  }
}

async function create(
  deps: AccessTokensDeps,
  { accountId, request }: { readonly accountId: number; readonly request: AccessTokenRequest },
  actor: Actor,
): Promise<CreatedAccessToken> {
  const { metadata, clock, audit } = deps
  const now = clock.now()
  checkRequest(request, now)
  if (isLimitedActor(actor)) throw new TokenForTokenError()
  const { name, actions, patterns, expiresAt } = request
  return metadata.transact(async (tx) => {
    await lockAccount(tx, accountId)
    await requireStanding(tx, actor, clock)
    const account = await findAccountState(tx, accountId)
    if (account === undefined) throw new AccessTokenRefusedError('the account does not exist')
    const created = await insert(tx, account, {
      accountId,
      name: name.trim(),
      actions,
      patterns,
      expiresAt,
      createdBy: actor.id,
      now,
    })
    await audit.change(tx, actor, entryOf('access-token.create', account, describe(created.token)))
    return created
  })
}

async function insert(
  tx: Transaction,
  account: AccountState,
  { replacedId, ...token }: Omit<NewAccessToken, 'tokenHash' | 'hint'> & { readonly replacedId?: number },
): Promise<CreatedAccessToken> {
  const { accountId, now } = token
  await lockAccount(tx, accountId)
  if ((await countAccessTokens(tx, { accountId, now, exceptId: replacedId })) >= maxTokensPerAccount) {
    throw new TooManyAccessTokensError(account.name, maxTokensPerAccount)
  }
  const secret = generateToken(account.kind)
  const hint = hintOf(secret)
  const id = await insertAccessToken(tx, { ...token, hint, tokenHash: hashSecret(secret) })
  const { now: createdAt, ...kept } = token
  const created = { ...kept, id, hint, createdAt, usedAt: undefined, revokedAt: undefined }
  return { token: created, principal: account.name, secret }
}

async function revoke(
  tx: Transaction,
  { id, actor }: { readonly id: number; readonly actor: Actor },
  { clock, audit }: AccessTokensDeps,
): Promise<boolean> {
  const held = await holdToken(tx, id)
  const account = held && (await findAccountState(tx, held.token.accountId))
  if (held === undefined || account === undefined) return false
  const { token, firstId } = held
  const count = await revokeTokenLineage(tx, { firstId, now: clock.now() })
  if (count === 0) return false
  const detail = { token: id, name: token.name, count }
  await audit.change(tx, actor, entryOf('access-token.revoke', account, detail))
  return true
}

async function revokeAll(
  tx: Transaction,
  { accountId, actor }: { readonly accountId: number; readonly actor: Actor },
  { clock, audit }: AccessTokensDeps,
): Promise<number> {
  const account = await findAccountState(tx, accountId)
  if (account === undefined) return 0
  const [createdBy, now] = [principalId({ ...account, accountId }), clock.now()]
  const holders = await listAccountsWithTokensBy(tx, createdBy)
  for (const id of [...new Set([accountId, ...holders])].toSorted((a, b) => a - b)) await lockAccount(tx, id)
  const own = await revokeAccessTokensOf(tx, { accountId, now })
  const count = own + (await revokeTokensMadeBy(tx, { createdBy, now }))
  if (count > 0) {
    await audit.change(tx, actor, entryOf('access-token.revoke', account, { all: true, count }))
  }
  return count
}

async function rotate(
  { metadata, clock, audit }: AccessTokensDeps,
  { id, overlapMs }: { readonly id: number; readonly overlapMs: number },
  actor: Actor,
): Promise<CreatedAccessToken> {
  const now = clock.now()
  const isItself = actor.credential === `access-token:${id}`
  if (isLimitedActor(actor) && !isItself) throw new TokenForTokenError()
  return metadata.transact(async (tx) => {
    const [held, holder] = [await holdToken(tx, id), await findTokenHolder(tx, { id })]
    await requireStanding(tx, actor, clock)
    if (held === undefined || holder === undefined || !isOpen(held.token, now)) {
      throw new AccessTokenUnknownError(id)
    }
    await retire(tx, held, { isItself, overlapMs, now })
    const { accountId, name, actions, patterns } = held.token
    const given = isItself ? inherit(held) : renew(held, { createdBy: actor.id, now })
    const bounds = { accountId, name, actions, patterns, replacedId: id }
    const created = await insert(tx, holder.account, { ...bounds, ...given, now })
    const detail = { ...describe(created.token), replaces: id, overlapMs }
    await audit.change(tx, actor, entryOf('access-token.rotate', holder.account, detail))
    return created
  })
}

interface HeldToken extends TokenLineage {
  readonly token: AccessToken
}

/** Ends the replaced token if it rotated itself, otherwise its whole lineage. */
async function retire(
  tx: Transaction,
  { token: { id }, firstId }: HeldToken,
  {
    isItself,
    overlapMs,
    now,
  }: { readonly isItself: boolean; readonly overlapMs: number; readonly now: number },
): Promise<void> {
  const at = now + overlapMs
  if (isItself) await (overlapMs > 0 ? endAccessToken(tx, { id, at }) : revokeAccessToken(tx, { id, now }))
  else await (overlapMs > 0 ? endTokenLineage(tx, { firstId, at }) : revokeTokenLineage(tx, { firstId, now }))
}

type Given = Pick<NewAccessToken, 'createdBy' | 'expiresAt' | 'lifetimeMs' | 'firstId'>

/** A token that rotates itself: the new one keeps `expiresAt` and `createdBy`. */
function inherit({ token: { createdBy, expiresAt }, lifetimeMs, firstId }: HeldToken): Given {
  return { createdBy, expiresAt, lifetimeMs, firstId }
}

/** A rotation by a person: the new token gets the full lifetime and a new lineage. */
function renew({ lifetimeMs }: HeldToken, { createdBy, now }: { createdBy: string; now: number }): Given {
  const expiresAt = lifetimeMs === undefined ? undefined : Math.min(now + lifetimeMs, lastTime)
  return { createdBy, expiresAt, lifetimeMs }
}

/** Locks the token until the transaction ends, so that it is neither rotated twice nor rotated while being revoked. */
async function holdToken(tx: Transaction, id: number): Promise<HeldToken | undefined> {
  const known = await findAccessToken(tx, id)
  if (known === undefined) return undefined
  await lockAccount(tx, known.accountId)
  const [token, lineage] = [await findAccessToken(tx, id), await findTokenLineage(tx, id)]
  return token && lineage && { token, ...lineage }
}

function isOpen({ expiresAt = Infinity, revokedAt }: AccessToken, now: number): boolean {
  return revokedAt === undefined && expiresAt > now
}

/** Operators and the registry itself act without a credential. */
function isLimitedActor({ credential }: Actor): boolean {
  return credential !== undefined && isLimitedCredential(credential)
}

function checkRequest({ name, actions, patterns, expiresAt }: AccessTokenRequest, now: number): void {
  const trimmed = name.trim()
  if (trimmed === '' || trimmed.length > maxNameCharacters) {
    throw new AccessTokenRefusedError(`its name must have 1 to ${maxNameCharacters} characters`)
  }
  if (/\p{C}/u.test(trimmed)) throw new AccessTokenRefusedError('its name contains control characters')
  if (actions?.length === 0)
    throw new AccessTokenRefusedError(
      'its list of actions is empty; name an action, or omit the list to allow all',
    )
  if (patterns !== undefined && (patterns.length === 0 || patterns.length > maxPatterns)) {
    throw new AccessTokenRefusedError(
      `it must name 1 to ${maxPatterns} repositories; omit the list to allow all`,
    )
  }
  if (expiresAt !== undefined) checkEnd(expiresAt, now)
}

function checkEnd(expiresAt: number, now: number): void {
  if (!(expiresAt > now)) throw new AccessTokenRefusedError('its expiry time is in the past')
  if (expiresAt <= lastTime) return
  throw new AccessTokenRefusedError(
    'it expires after the year 9999; omit the time for a token that does not expire',
  )
}

function entryOf(action: AuditAction, { kind, name }: AccountState, detail: AuditDetail): AuditEntry {
  return { action, outcome: 'done', target: { kind, name }, detail }
}

function describe({ id, name, actions, patterns, expiresAt }: AccessToken): AuditDetail {
  const expires = expiresAt === undefined ? undefined : new Date(expiresAt).toISOString()
  return { token: id, name, actions, repositories: patterns, expiresAt: expires }
}
