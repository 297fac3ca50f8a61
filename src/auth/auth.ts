/**
 * @module
 * Identity put together: who makes a request (`authenticator`), what that one may do (`policy`), the tokens that say
 * so (`tokens`), and what operators change (`accounts`, `keys`, `refreshTokens`). Used by `http/` and `cli/` through
 * the interfaces of `identity.ts` and `policy.ts`; it reads and writes the metadata database and knows nothing of HTTP.
 */
import type { Clock } from '../lib/clock.ts'
import type { LoginOutcome } from '../metadata/login-events.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { deleteRefreshToken, listRefreshTokens } from '../metadata/refresh-tokens.ts'
import type { RefreshToken } from '../metadata/refresh-tokens.ts'
import { findOwner, findRepositoryAccess } from '../metadata/repositories.ts'
import { createPolicy } from './access-policy.ts'
import type { PolicyOptions } from './access-policy.ts'
import { createAccounts } from './accounts.ts'
import type { Accounts } from './accounts.ts'
import { createAuthenticator } from './authenticator.ts'
import type { RememberingAuthenticator } from './authenticator.ts'
import type { TokenService } from './identity.ts'
import { createLoginEvents } from './login-events.ts'
import type { LoginEvents } from './login-events.ts'
import { createLoginThrottle } from './login-throttle.ts'
import type { LoginThrottleOptions } from './login-throttle.ts'
import { createPasswordHasher } from './password-hash.ts'
import type { PasswordHasher } from './password-hash.ts'
import type { Policy } from './policy.ts'
import { createSigningKeys } from './tokens/signing-keys.ts'
import type { SigningKeys } from './tokens/signing-keys.ts'
import { createTokenService } from './tokens/token-service.ts'
import { createTokenVerifier } from './tokens/token-verifier.ts'

export interface RefreshTokens {
  /** Of one account, oldest first; the tokens themselves are not stored. */
  list(accountId: number): Promise<RefreshToken[]>
  /** Whether there was one. */
  revoke(id: number): Promise<boolean>
}

export interface Auth extends AsyncDisposable {
  readonly authenticator: RememberingAuthenticator
  readonly policy: Policy
  readonly tokens: TokenService
  readonly accounts: Accounts
  readonly keys: SigningKeys
  readonly refreshTokens: RefreshTokens
  readonly events: LoginEvents
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
  /** Where the generated password of the first administrator is kept. */
  readonly initialPasswordFile: string
  /** Login events that could not be written. */
  readonly onError: (error: unknown) => void
  /** Called with each result of a login, for metrics. */
  readonly onLogin?: ((outcome: LoginOutcome) => void) | undefined
  readonly passwords?: PasswordHasher
  readonly throttle?: Omit<LoginThrottleOptions, 'clock'>
}

export function createAuth(deps: AuthDeps): Auth {
  const { metadata, clock, installationId: issuer, passwords = createPasswordHasher() } = deps
  const { reader } = metadata
  const policy = createPolicy({
    anonymous: deps.anonymous,
    newRepositoryVisibility: deps.newRepositoryVisibility,
    findAccess: (repository) => findRepositoryAccess(reader, repository),
    findOwner: (name) => findOwner(reader, name),
  })
  const keys = createSigningKeys({ metadata, clock })
  const events = createLoginEvents({ metadata, clock, onError: deps.onError, onLogin: deps.onLogin })
  const throttle = createLoginThrottle({ clock, ...deps.throttle })
  const verifier = createTokenVerifier({ keys, clock, issuer })
  const { tokenLifetimeMs: lifetimeMs, refreshTokens, initialPasswordFile } = deps
  return {
    authenticator: createAuthenticator({
      metadata,
      clock,
      passwords,
      throttle,
      events,
      keys,
      tokens: verifier,
    }),
    policy,
    tokens: createTokenService({ metadata, clock, keys, policy, events, issuer, lifetimeMs, refreshTokens }),
    accounts: createAccounts({ metadata, clock, passwords, initialPasswordFile }),
    keys,
    refreshTokens: {
      list: (accountId) => listRefreshTokens(reader, accountId),
      revoke: (id) => metadata.transact((tx) => deleteRefreshToken(tx, id)),
    },
    events,
    [Symbol.asyncDispose]: () => events[Symbol.asyncDispose](),
  }
}
