/** The interface of this folder for `http/` and `cli/`: credentials in, principals and tokens out. */
import type { Principal } from './principal.ts'
import type { Asker } from '../access/policy.ts'
import type { Scope } from '../access/scope.ts'

/** The origin of a request, for throttling and the audit. */
export interface Origin {
  /** The client's address; behind trusted proxies, the address that they report. */
  readonly address: string
  readonly client: string | undefined
  /** The request id in the reply header and in the log. */
  readonly requestId?: string
}

export interface Authenticator {
  /**
   * Authenticates an `Authorization` header (absent: anonymous). Throws `CredentialsError` (401) for invalid credentials and
   * `TooManyAttemptsError` (429) if this account or address failed too often recently.
   */
  authenticate(authorization: string | undefined, origin: Origin): Promise<Principal> | Principal
  /**
   * Whether the credential of the principal is still valid: since then the password was not changed, the account not disabled and
   * the token not revoked. An expired bearer token still counts, because an upload may outlast its token.
   */
  isCurrent(principal: Principal): Promise<boolean> | boolean
  /** Checks a name and password; throws the errors of `authenticate`. */
  login(credentials: { name: string; password: string }, origin: Origin): Promise<Principal>
}

export interface IssuedToken {
  readonly token: string
  readonly expiresInSeconds: number
  readonly issuedAt: Date
  readonly scopes: readonly Scope[]
  readonly refreshToken: string | undefined
}

export interface TokenRequest {
  readonly principal: Principal
  readonly scopes: readonly Scope[]
  /** The client asked for a refresh token. */
  readonly offline: boolean
  readonly clientId: string | undefined
  /** The client that waits for the token. */
  readonly asker?: Asker | undefined
}

export interface TokenService {
  issue(request: TokenRequest): Promise<IssuedToken>
  /** Throws `CredentialsError`, and `RefreshTokensOffError` if the configuration disables refresh tokens. */
  refresh(
    request: { refreshToken: string; scopes: readonly Scope[]; asker?: Asker },
    origin: Origin,
  ): Promise<IssuedToken>
}
