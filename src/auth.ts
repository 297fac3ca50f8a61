/**
 * @module
 * Assembles identity and access: `authenticator` finds out who makes a request, `policy` decides what the caller may do,
 * `tokens` issues bearer tokens, and operators change `accounts`, `keys` and `refreshTokens`. `http/` and `cli/` use it through
 * the interfaces of `identity.ts` and `policy.ts`. It reads and writes the metadata database and does not depend on HTTP.
 */
import type { LoginOutcome } from './metadata/audit/audit-actions.ts'
import type { PolicyOptions } from './access/access-policy.ts'
import { createAccounts } from './identity/accounts/accounts.ts'
import type { Accounts } from './identity/accounts/accounts.ts'
import { createAuthenticator } from './identity/authenticator.ts'
import type { RememberingAuthenticator } from './identity/authenticator.ts'
import type { TokenService } from './identity/identity.ts'
import { createCredentialUses, createKeptCredentials } from './identity/kept-credentials.ts'
import type { KeptCredentials, KeptCredentialsDeps, RefreshTokens } from './identity/kept-credentials.ts'
import { createLogins } from './identity/passwords/logins.ts'
import { createLoginThrottle } from './identity/passwords/login-throttle.ts'
import type { LoginThrottleOptions } from './identity/passwords/login-throttle.ts'
import { createPasswordHasher } from './identity/passwords/password-hash.ts'
import type { PasswordHasher } from './identity/passwords/password-hash.ts'
import type { Policy } from './access/policy.ts'
import type { FormerNames } from './access/former-names/former-names.ts'
import { openRights } from './access/open-rights.ts'
import type { RightsServices } from './access/open-rights.ts'
import type { SeenAccounts } from './access/explain/seen-accounts.ts'
import { createSigningKeys } from './identity/tokens/signing-keys.ts'
import type { SigningKeys } from './identity/tokens/signing-keys.ts'
import { createTokenService } from './identity/tokens/token-service.ts'
import { createTokenVerifier } from './identity/tokens/token-verifier.ts'

export type { RefreshTokens }

export interface Auth extends KeptCredentials, RightsServices {
  readonly authenticator: RememberingAuthenticator
  readonly policy: Policy
  readonly formerNames: FormerNames
  readonly seenAccounts: SeenAccounts
  readonly tokens: TokenService
  readonly accounts: Accounts
  readonly keys: SigningKeys
}

export interface AuthDeps extends KeptCredentialsDeps {
  /** The id of the database, which is the issuer of tokens. */
  readonly installationId: string
  readonly anonymous: PolicyOptions['anonymous']
  readonly newRepositoryVisibility: PolicyOptions['newRepositoryVisibility']
  readonly tokenLifetimeMs: number
  readonly refreshTokens: boolean
  /** Whether anyone may create an account. */
  readonly selfRegistration: boolean
  /** The file with the generated password of the first administrator. */
  readonly initialPasswordFile: string
  /** Called with the outcome of each login, for metrics. */
  readonly onLogin?: ((outcome: LoginOutcome) => void) | undefined
  readonly passwords?: PasswordHasher
  readonly throttle?: Omit<LoginThrottleOptions, 'clock'>
}

export function createAuth(deps: AuthDeps): Auth {
  const { metadata, clock, installationId: issuer, passwords = createPasswordHasher() } = deps
  const { policy, granting, formerNames, seenAccounts, services } = openRights(deps)
  const keys = createSigningKeys({ metadata, clock, audit: deps.audit })
  const logins = createLogins({ audit: deps.audit, onLogin: deps.onLogin })
  const throttle = createLoginThrottle({ clock, ...deps.throttle })
  const verifier = createTokenVerifier({ keys, clock, issuer })
  const registering = { throttle, selfRegistration: deps.selfRegistration }
  const { tokenLifetimeMs: lifetimeMs, refreshTokens, initialPasswordFile } = deps
  const issuing = { issuer, lifetimeMs, refreshTokens }
  const uses = createCredentialUses(deps)
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
    formerNames,
    seenAccounts,
    tokens: createTokenService({ ...changes, ...issuing, keys, policy: granting, logins }),
    accounts: createAccounts({ ...changes, ...registering, authenticator, passwords, initialPasswordFile }),
    keys,
    ...services,
    ...createKeptCredentials(deps, { authenticator, uses }),
  }
}
