/** Credentials besides passwords: access tokens, refresh tokens and sessions; and robots, which have no password. */
import type { Clock } from '../lib/clock.ts'
import { noteAccessTokenUses } from '../metadata/identity/access-tokens.ts'
import type { AuditTrail } from '../metadata/audit/audit-trail.ts'
import { noteBrowserSessionUses } from '../metadata/identity/browser-sessions.ts'
import type { Metadata } from '../metadata/metadata.ts'
import {
  deleteRefreshToken,
  findRefreshTokenHolder,
  listRefreshTokens,
} from '../metadata/identity/refresh-tokens.ts'
import type { RefreshToken } from '../metadata/identity/refresh-tokens.ts'
import { createAccessTokens } from './access-tokens/access-tokens.ts'
import type { AccessTokens } from './access-tokens/access-tokens.ts'
import type { Actor } from './actor.ts'
import type { Authenticator } from './identity.ts'
import { createRobots } from './accounts/robots.ts'
import type { Robots } from './accounts/robots.ts'
import { createSessions, noteSessionEveryMs } from './sessions/sessions.ts'
import type { Sessions } from './sessions/sessions.ts'
import { createUseNotes } from './use-notes.ts'
import type { UseNotes } from './use-notes.ts'

export interface RefreshTokens {
  /** Lists the refresh tokens of an account, oldest first, without the tokens themselves, which are not stored. */
  list(accountId: number): Promise<RefreshToken[]>
  /** Returns whether the token existed. */
  revoke(id: number, actor: Actor): Promise<boolean>
}

export interface KeptCredentials extends AsyncDisposable {
  readonly refreshTokens: RefreshTokens
  readonly accessTokens: AccessTokens
  readonly robots: Robots
  readonly sessions: Sessions
  /** Resolves when the recorded uses are written; never rejects. */
  flush(): Promise<void>
}

export interface KeptCredentialsDeps {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly audit: AuditTrail
  readonly sessionIdleMs: number
  readonly sessionLifetimeMs: number
  /** Called if the uses of tokens and sessions could not be written. */
  readonly onError: (error: unknown) => void
}

export interface CredentialUses {
  readonly accessTokens: UseNotes
  readonly sessions: UseNotes
}

const noteTokenEveryMs = 60 * 60_000

export function createCredentialUses({ metadata, clock, onError }: KeptCredentialsDeps): CredentialUses {
  const create = (everyMs: number, note: typeof noteAccessTokenUses): UseNotes =>
    createUseNotes({
      clock,
      everyMs,
      onError,
      // It is harmless if a power cut loses a recorded use.
      write: (uses, before) => metadata.transact((tx) => note(tx, uses, before), { durable: false }),
    })
  return {
    accessTokens: create(noteTokenEveryMs, noteAccessTokenUses),
    sessions: create(noteSessionEveryMs, noteBrowserSessionUses),
  }
}

export function createKeptCredentials(
  deps: KeptCredentialsDeps,
  { authenticator, uses }: { readonly authenticator: Authenticator; readonly uses: CredentialUses },
): KeptCredentials {
  const { metadata, clock, audit, sessionIdleMs: idleMs, sessionLifetimeMs: lifetimeMs } = deps
  const changes = { metadata, clock, audit }
  const flush = async (): Promise<void> => {
    await Promise.all([uses.accessTokens.flush(), uses.sessions.flush()])
  }
  return {
    refreshTokens: createRefreshTokens(changes),
    accessTokens: createAccessTokens(changes),
    robots: createRobots(changes),
    sessions: createSessions({ ...changes, authenticator, uses: uses.sessions, idleMs, lifetimeMs }),
    flush,
    [Symbol.asyncDispose]: flush,
  }
}

function createRefreshTokens({
  metadata,
  audit,
}: Pick<KeptCredentialsDeps, 'metadata' | 'audit'>): RefreshTokens {
  return {
    list: (accountId) => listRefreshTokens(metadata.reader, accountId),
    revoke: (id, actor) =>
      metadata.transact(async (tx) => {
        const name = await findRefreshTokenHolder(tx, id)
        if (name === undefined || !(await deleteRefreshToken(tx, id))) return false
        const target = { kind: 'user', name } as const
        await audit.change(tx, actor, {
          action: 'refresh-token.revoke',
          outcome: 'done',
          target,
          detail: { token: id },
        })
        return true
      }),
  }
}
