/** The checks that need only the caller and run before the path is parsed. Their messages say what would help. */
import type { Policy } from '../access/policy.ts'
import { usesToken, isLimited } from '../identity/limited-credentials.ts'
import { isWhole } from '../identity/principal.ts'
import type { AccountPrincipal, Principal } from '../identity/principal.ts'
import { DeniedError, notSignedIn, UnauthorizedError } from './errors.ts'
import type { Gives, Need } from './need.ts'

type CallerCheck = (principal: Principal, policy: Policy) => void

/** Complete by type: a new need without a check does not compile. */
const checks: Readonly<Record<Need, CallerCheck>> = {
  none: acceptAnyone,
  pull: acceptAnyone,
  push: acceptAnyone,
  delete: acceptAnyone,
  enter: checkEntry,
  catalog: checkCatalog,
  public: acceptAnyone,
  user: requireAccount,
  self: (principal) => checkSelf(requireAccount(principal)),
  administrator: (principal) => checkAdministrator(requireAccount(principal)),
  'owner:see': requireAccount,
  'owner:administer': requireAccount,
  'repository:pull': acceptAnyone,
  'repository:administer': requireAccount,
  'repository:manage': requireAccount,
  'repository:delete': requireAccount,
}

/** Throws `UnauthorizedError` and `DeniedError`. */
export function checkCaller(need: Need, principal: Principal, policy: Policy): void {
  checks[need](principal, policy)
}

/** Checks only the credential, not the rights of its account. Throws `DeniedError`. */
export function checkGives(gives: Gives, principal: Principal, token: number | undefined): void {
  if (!isLimited(principal)) return
  if (gives === 'rotation' && token !== undefined && usesToken(principal, token)) return
  throw new DeniedError(
    gives === 'rotation'
      ? 'an access token can only rotate itself: send the token with this id, or log in with name and password'
      : 'an access token cannot give access, because the access would outlive the token: log in with name and password, or open a session',
  )
}

function acceptAnyone(): void {
  // The policy decides by the path.
}

function checkEntry(principal: Principal, policy: Policy): void {
  if (policy.mayEnter(principal)) return
  const error = principal.scopes === undefined ? undefined : 'insufficient_scope'
  const reason = 'this registry requires a login: log in with a user name and a password'
  throw new UnauthorizedError(reason, error)
}

function checkCatalog(principal: Principal, policy: Policy): void {
  checkEntry(principal, policy)
  if (principal.scopes === undefined) return
  const covered = principal.scopes.some(
    ({ type, name, actions }) => type === 'registry' && name === 'catalog' && actions.includes('*'),
  )
  if (!covered)
    throw new UnauthorizedError(
      'the token does not cover the catalog: request one with the scope registry:catalog:*',
      'insufficient_scope',
    )
}

function requireAccount(principal: Principal): AccountPrincipal {
  if (principal.kind === 'anonymous') throw notSignedIn()
  return principal
}

function checkSelf(principal: AccountPrincipal): void {
  if (principal.kind === 'robot')
    throw new DeniedError('robots have no account of their own: log in as a user')
  requireWhole(principal)
}

function checkAdministrator(principal: AccountPrincipal): void {
  if (!principal.isAdmin)
    throw new DeniedError(`${principal.kind} ${principal.name} is not an administrator: ask an administrator`)
  requireWhole(principal)
}

function requireWhole(principal: AccountPrincipal): void {
  if (isWhole(principal)) return
  throw new DeniedError(
    'this access token is narrowed: log in with name and password, or use a token that is not narrowed',
  )
}
