/**
 * @module
 * Identity put together: who makes a request (`authenticator`), what that one may do (`policy`), the tokens that say
 * so (`tokens`), and what operators change (`accounts`, `keys`, `refreshTokens`). Used by `http/` and `cli/` through
 * the interfaces of `identity.ts` and `policy.ts`; it reads and writes the metadata database and knows nothing of HTTP.
 */
import type { Clock } from '../lib/clock.ts'
import type { LoginOutcome } from '../metadata/audit-actions.ts'
import type { AuditTrail } from '../metadata/audit-trail.ts'
import { noteAccessTokenUses } from '../metadata/access-tokens.ts'
import { noteBrowserSessionUses } from '../metadata/browser-sessions.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { deleteRefreshToken, listRefreshTokens } from '../metadata/refresh-tokens.ts'
import type { RefreshToken } from '../metadata/refresh-tokens.ts'
import type { PolicyOptions } from './access-policy.ts'
import { createAccessTokens } from './access-tokens/access-tokens.ts'
import type { AccessTokens } from './access-tokens/access-tokens.ts'
import { createAccounts } from './accounts.ts'
import type { Accounts } from './accounts.ts'
import { createAuthenticator } from './authenticator.ts'
import type { RememberingAuthenticator } from './authenticator.ts'
import type { Authenticator, TokenService } from './identity.ts'
import { createLogins } from './logins.ts'
import { createLoginThrottle } from './login-throttle.ts'
import type { LoginThrottleOptions } from './login-throttle.ts'
import { createPasswordHasher } from './password-hash.ts'
import type { PasswordHasher } from './password-hash.ts'
import type { Policy } from './policy.ts'
import type { Aliases } from './rights/aliases.ts'
import { openRights } from './rights/open-rights.ts'
import { createRobots } from './robots.ts'
import type { Robots } from './robots.ts'
import { createSessions, noteSessionEveryMs } from './sessions.ts'
import type { Sessions } from './sessions.ts'
import { createSigningKeys } from './tokens/signing-keys.ts'
import type { SigningKeys } from './tokens/signing-keys.ts'
import { createTokenService } from './tokens/token-service.ts'
import { createTokenVerifier } from './tokens/token-verifier.ts'
import { createUseNotes } from './use-notes.ts'
import type { UseNotes } from './use-notes.ts'

export interface RefreshTokens {
  /** Of one account, oldest first; the tokens themselves are not stored. */
  list(accountId: number): Promise<RefreshToken[]>
  /** Whether there was one. */
  revoke(id: number): Promise<boolean>
}

export interface Auth extends AsyncDisposable {
  readonly authenticator: RememberingAuthenticator
  readonly policy: Policy
  readonly aliases: Aliases
  readonly tokens: TokenService
  readonly accounts: Accounts
  readonly keys: SigningKeys
  readonly refreshTokens: RefreshTokens
  readonly accessTokens: AccessTokens
  readonly robots: Robots
  readonly sessions: Sessions
  /** Resolves when it is written what was used when; never rejects. */
  flush(): Promise<void>
}

export interface AuthDeps {
  readonly metadata: Metadata
  readonly clock: Clock
  /** Of the database: who issues tokens. */
  readonly installationId: string
  readonly anonymous: PolicyOptions['anonymous']
  readonly newRepositoryVisibility: PolicyOptions['newRepositoryVisibility']
  readonly tokenLifetimeMs: number
  readonly refreshTokens: boolean
  readonly sessionIdleMs: number
  readonly sessionLifetimeMs: number
  /** Where the generated password of the first administrator is kept. */
  readonly initialPasswordFile: string
  readonly audit: AuditTrail
  /** When tokens and sessions were used, which could not be written. */
  readonly onError: (error: unknown) => void
  /** Called with each result of a login, for metrics. */
  readonly onLogin?: ((outcome: LoginOutcome) => void) | undefined
  readonly passwords?: PasswordHasher
  readonly throttle?: Omit<LoginThrottleOptions, 'clock'>
}

export function createAuth(deps: AuthDeps): Auth {
  const { metadata, clock, installationId: issuer, passwords = createPasswordHasher() } = deps
  const { policy, granting, aliases } = openRights(deps)
  const keys = createSigningKeys({ metadata, clock })
  const logins = createLogins({ audit: deps.audit, onLogin: deps.onLogin })
  const throttle = createLoginThrottle({ clock, ...deps.throttle })
  const verifier = createTokenVerifier({ keys, clock, issuer })
  const { tokenLifetimeMs: lifetimeMs, refreshTokens, initialPasswordFile } = deps
  const issuing = { issuer, lifetimeMs, refreshTokens }
  const uses = createUses(deps)
  const authenticator = createAuthenticator({
    metadata,
    clock,
    passwords,
    throttle,
    logins,
    keys,
    tokens: verifier,
    uses: uses.accessTokens,
  })
  const changes = { metadata, clock, audit: deps.audit }
  return {
    authenticator,
    policy,
    aliases,
    tokens: createTokenService({ ...changes, ...issuing, keys, policy: granting, logins }),
    accounts: createAccounts({ metadata, clock, passwords, initialPasswordFile }),
    keys,
    ...createCredentials(deps, { authenticator, uses }),
  }
}

type Credentials = Pick<Auth, 'refreshTokens' | 'accessTokens' | 'robots' | 'sessions' | 'flush'> &
  AsyncDisposable

/** What people hold besides a password, and the robots that have nothing else. */
function createCredentials(
  deps: AuthDeps,
  { authenticator, uses }: { readonly authenticator: Authenticator; readonly uses: Uses },
): Credentials {
  const { metadata, clock, audit, sessionIdleMs: idleMs, sessionLifetimeMs: lifetimeMs } = deps
  const changes = { metadata, clock, audit }
  const flush = async (): Promise<void> => {
    await Promise.all([uses.accessTokens.flush(), uses.sessions.flush()])
  }
  return {
    refreshTokens: createRefreshTokens(metadata),
    accessTokens: createAccessTokens(changes),
    robots: createRobots(changes),
    sessions: createSessions({ ...changes, authenticator, uses: uses.sessions, idleMs, lifetimeMs }),
    flush,
    [Symbol.asyncDispose]: flush,
  }
}

interface Uses {
  readonly accessTokens: UseNotes
  readonly sessions: UseNotes
}

const noteTokenEveryMs = 60 * 60_000

function createUses({ metadata, clock, onError }: AuthDeps): Uses {
  const create = (everyMs: number, note: typeof noteAccessTokenUses): UseNotes =>
    createUseNotes({
      clock,
      everyMs,
      onError,
      // Nobody misses a use that a power cut took.
      write: (uses, before) => metadata.transact((tx) => note(tx, uses, before), { durable: false }),
    })
  return {
    accessTokens: create(noteTokenEveryMs, noteAccessTokenUses),
    sessions: create(noteSessionEveryMs, noteBrowserSessionUses),
  }
}
