/** The caller of a handler, after the access of its row was checked. */
import type { AccountPrincipal, Principal } from '../identity/principal.ts'
import { notSignedIn } from '../edge/errors.ts'

/** Returns the account of the caller, for rows that require a login. Throws `UnauthorizedError`. */
export function accountOf(principal: Principal): AccountPrincipal {
  if (principal.kind === 'anonymous') throw notSignedIn()
  return principal
}
