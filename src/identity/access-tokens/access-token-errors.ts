/** Errors of creating and changing access tokens. */
import { AccountError } from '../accounts/account-errors.ts'

export class AccessTokenRefusedError extends AccountError {
  override readonly name = 'AccessTokenRefusedError'
  readonly code = 'UNSUPPORTED'
  override readonly kind = 'INPUT_INVALID'
  constructor(rule: string, options?: ErrorOptions) {
    super(`the access token is refused: ${rule}`, options)
  }
}

export class AccessTokenUnknownError extends AccountError {
  override readonly name = 'AccessTokenUnknownError'
  readonly code = 'NAME_UNKNOWN'
  constructor(id: number, options?: ErrorOptions) {
    super(
      `access token ${id} does not exist or is no longer valid: list the access tokens to see their ids and states`,
      options,
    )
  }
}

export class TooManyAccessTokensError extends AccountError {
  override readonly name = 'TooManyAccessTokensError'
  readonly code = 'DENIED'
  override readonly kind = 'CONFLICT'
  constructor(account: string, limit: number, options?: ErrorOptions) {
    super(`${account} already has the maximum of ${limit} access tokens: revoke some first`, options)
  }
}

/** Otherwise the new token could outlive the old one, or reach further (`limited-credentials.ts`). */
export class TokenForTokenError extends AccountError {
  override readonly name = 'TokenForTokenError'
  readonly code = 'DENIED'
  constructor(options?: ErrorOptions) {
    super(
      'an access token cannot create another one, which would outlive it: log in with the password, or rotate the token itself',
      options,
    )
  }
}
