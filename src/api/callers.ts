/** The caller as a handler knows it, after the row's access was checked. */
import type { AccountPrincipal, Principal } from '../identity/principal.ts'
import { notSignedIn } from '../edge/errors.ts'

/** Of rows that ask for a login. Throws `UnauthorizedError`. */
export function accountOf(principal: Principal): AccountPrincipal {
  if (principal.kind === 'anonymous') throw notSignedIn()
  return principal
}
