/** What `http/` and `cli/` ask of this folder: proofs of identity in, principals and tokens out. */
import type { Principal } from './principal.ts'
import type { Asker } from '../access/policy.ts'
import type { Scope } from '../access/scope.ts'

/** Where a request comes from: for throttling and for the audit. */
export interface Origin {
  /** The client's address, as far as trusted proxies tell it. */
  readonly address: string
  readonly client: string | undefined
  /** The id in the reply's header and in the log. */
  readonly requestId?: string
}

export interface Authenticator {
  /**
   * From an `Authorization` header (absent: anonymous). Throws `CredentialsError` (401) for credentials that do not hold,
   * `TooManyAttemptsError` (429) when this account or address failed too often just now.
   */
  authenticate(authorization: string | undefined, origin: Origin): Promise<Principal> | Principal
  /**
   * Whether what proved the principal still holds: nobody changed the password, disabled the account or revoked the token
   * since. The end of a bearer token does not count, because an upload may take longer than its token lives.
   */
  isCurrent(principal: Principal): Promise<boolean> | boolean
  /** Checks a name and password; throws as `authenticate`. */
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
  /** Who waits for the token. */
  readonly asker?: Asker | undefined
}

export interface TokenService {
  issue(request: TokenRequest): Promise<IssuedToken>
  /** Throws `CredentialsError`; `RefreshTokensOffError` when the configuration does not allow them. */
  refresh(
    request: { refreshToken: string; scopes: readonly Scope[]; asker?: Asker },
    origin: Origin,
  ): Promise<IssuedToken>
}
