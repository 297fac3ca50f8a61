/** The errors with which admission refuses requests, on both surfaces. */
import { OciError } from '../oci/oci-error.ts'
import type { ChallengeError } from '../oci/oci-error.ts'

/** Other or more credentials may help; the reply asks for them. */
export class UnauthorizedError extends OciError {
  override readonly name = 'UnauthorizedError'
  readonly code = 'UNAUTHORIZED'
  readonly detail = undefined
  override readonly error: ChallengeError | undefined
  constructor(reason: string, error?: ChallengeError) {
    super(reason)
    this.error = error
  }
}

export class DeniedError extends OciError {
  override readonly name = 'DeniedError'
  readonly code = 'DENIED'
  readonly detail = undefined
}

/** Gives the same answer for a missing resource and for one that the caller may not see. */
export class NotVisibleError extends OciError {
  override readonly name = 'NotVisibleError'
  readonly code = 'NAME_UNKNOWN'
  readonly detail = undefined
  constructor(what: string) {
    super(
      `${what} does not exist, or you may not see it: check its name or id, or ask an administrator for access`,
    )
  }
}

/** Returns the refusal of a management API request that needs a login and has none. */
export function notSignedIn(): UnauthorizedError {
  return new UnauthorizedError(
    'this request needs a login: send a name and password (Basic) or an access token (Bearer), or open a session',
  )
}
