/** Refusals of authentication. None reveals whether an account, a repository or a key exists. */
import { OciError } from '../oci/oci-error.ts'

export abstract class AuthError extends OciError {}

/** The credentials are not valid; `error` is the error of the challenge (RFC 6750, 3.1). */
export class CredentialsError extends AuthError {
  override readonly name = 'CredentialsError'
  readonly code = 'UNAUTHORIZED'
  readonly detail: null = null
  override readonly error: 'invalid_token' | undefined
  /** Whether it is a token of another installation, which says nothing about its sender. */
  readonly isForeign: boolean

  constructor(
    message: string,
    options: ErrorOptions & { readonly error?: 'invalid_token'; readonly isForeign?: boolean } = {},
  ) {
    super(message, options)
    this.error = options.error
    this.isForeign = options.isForeign ?? false
  }
}

/** The same for a wrong password, an unknown name and a disabled account. */
export function wrongPassword(): CredentialsError {
  return new CredentialsError(
    'incorrect name or password, or the account is disabled: log in again, or ask an administrator of this registry',
  )
}

/** Returns the same error for every fault of an access token that was sent with a name. */
export function wrongAccessToken(): CredentialsError {
  return new CredentialsError(
    'the access token has expired, was revoked or belongs to another account, or the account is disabled: use another token, or ask an administrator of this registry',
  )
}

/** An access token was sent where only a password is accepted. */
export function needsPassword(): CredentialsError {
  return new CredentialsError('this requires the password of a user: access tokens are not accepted here')
}

/** The credentials were valid when the request began, but are no longer. */
export function endedMeanwhile(): CredentialsError {
  return new CredentialsError('the credentials were changed or revoked during the request: log in again')
}

/** Returns the same error for every fault of the token. */
export function invalidToken(options?: ErrorOptions & { readonly isForeign?: boolean }): CredentialsError {
  return new CredentialsError(
    'the token has expired, was revoked or was not issued by this registry: get a new one',
    {
      ...options,
      error: 'invalid_token',
    },
  )
}

/** This registry cannot parse the header. */
export function malformedCredentials(): CredentialsError {
  return new CredentialsError(
    'the Authorization header is malformed: send "Basic" with name and password, or "Bearer" with a token',
  )
}

export class TooManyAttemptsError extends AuthError {
  override readonly name = 'TooManyAttemptsError'
  readonly code = 'TOOMANYREQUESTS'
  readonly detail: null = null
  override readonly retryAfterSeconds: number

  constructor(retryAfterSeconds: number, options?: ErrorOptions) {
    super(`too many logins at the moment: try again in ${retryAfterSeconds} s`, options)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

export class RefreshTokensOffError extends AuthError {
  override readonly name = 'RefreshTokensOffError'
  readonly code = 'UNSUPPORTED'
  override readonly kind = 'REFRESH_TOKENS_OFF'
  readonly detail = { setting: 'auth.refreshTokens' }

  constructor(options?: ErrorOptions) {
    super(
      'this registry does not issue refresh tokens: log in with name and password, or ask an operator to set auth.refreshTokens',
      options,
    )
  }
}

/** A page of another site may have made the browser send this. */
export class CsrfError extends AuthError {
  override readonly name = 'CsrfError'
  readonly code = 'DENIED'
  readonly detail: null = null

  constructor(reason: string, options?: ErrorOptions) {
    super(`the request was not sent by a page of this registry: ${reason}`, options)
  }
}
