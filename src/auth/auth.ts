/**
 * @module
 * Identity put together: who makes a request (`authenticator`), what that one may do (`policy`), the tokens that say
 * so (`tokens`), and what operators change (`accounts`, `keys`, `refreshTokens`). Used by `http/` and `cli/` through
 * the interfaces of `identity.ts` and `policy.ts`; it reads and writes the metadata database and knows nothing of HTTP.
 */
import type { Clock } from '../lib/clock.ts'
import type { LoginOutcome } from '../metadata/audit-actions.ts'
import type { AuditTrail } from '../metadata/audit-trail.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { deleteRefreshToken, listRefreshTokens } from '../metadata/refresh-tokens.ts'
import type { RefreshToken } from '../metadata/refresh-tokens.ts'
import { listGrantsOf } from '../metadata/grants.ts'
import { findOwner } from '../metadata/owners.ts'
import { findRepositoryAccess } from '../metadata/repositories.ts'
import { getRightsVersion } from '../metadata/rights-version.ts'
import { createPolicy } from './access-policy.ts'
import type { PolicyOptions } from './access-policy.ts'
import { createAccounts } from './accounts.ts'
import type { Accounts } from './accounts.ts'
import { createAuthenticator } from './authenticator.ts'
import type { RememberingAuthenticator } from './authenticator.ts'
import type { TokenService } from './identity.ts'
import { createLogins } from './logins.ts'
import { createLoginThrottle } from './login-throttle.ts'
import type { LoginThrottleOptions } from './login-throttle.ts'
import { createPasswordHasher } from './password-hash.ts'
import type { PasswordHasher } from './password-hash.ts'
import type { Policy } from './policy.ts'
import { GrantsCache } from './rights/grants-cache.ts'
import { holdGrants } from './rights/held-grants.ts'
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

export interface Auth {
  readonly authenticator: RememberingAuthenticator
  readonly policy: Policy
  readonly tokens: TokenService
  readonly accounts: Accounts
  readonly keys: SigningKeys
  readonly refreshTokens: RefreshTokens
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
  readonly audit: AuditTrail
  /** Called with each result of a login, for metrics. */
  readonly onLogin?: ((outcome: LoginOutcome) => void) | undefined
  readonly passwords?: PasswordHasher
  readonly throttle?: Omit<LoginThrottleOptions, 'clock'>
}

export function createAuth(deps: AuthDeps): Auth {
  const { metadata, clock, installationId: issuer, passwords = createPasswordHasher() } = deps
  const { reader } = metadata
  const grants = new GrantsCache({
    now: () => performance.now(),
    getVersion: () => getRightsVersion(reader),
    load: (accountId) => {
      const rows = listGrantsOf(reader, accountId)
      return rows instanceof Promise ? rows.then(holdGrants) : holdGrants(rows)
    },
  })
  const policy = createPolicy({
    anonymous: deps.anonymous,
    newRepositoryVisibility: deps.newRepositoryVisibility,
    findAccess: (repository) => findRepositoryAccess(reader, repository),
    findOwner: (name) => findOwner(reader, name),
    grantsOf: (accountId) => grants.of(accountId),
  })
  const keys = createSigningKeys({ metadata, clock })
  const logins = createLogins({ audit: deps.audit, onLogin: deps.onLogin })
  const throttle = createLoginThrottle({ clock, ...deps.throttle })
  const verifier = createTokenVerifier({ keys, clock, issuer })
  const { tokenLifetimeMs: lifetimeMs, refreshTokens, initialPasswordFile } = deps
  return {
    authenticator: createAuthenticator({
      metadata,
      clock,
      passwords,
      throttle,
      logins,
      keys,
      tokens: verifier,
    }),
    policy,
    tokens: createTokenService({ metadata, clock, keys, policy, logins, issuer, lifetimeMs, refreshTokens }),
    accounts: createAccounts({ metadata, clock, passwords, initialPasswordFile }),
    keys,
    refreshTokens: {
      list: (accountId) => listRefreshTokens(reader, accountId),
      revoke: (id) => metadata.transact((tx) => deleteRefreshToken(tx, id)),
    },
  }
}
