/**
 * Who asks, and whether the route may be served to it: the one place between the grammar of a request and its
 * handler. No handler runs and no state of a repository is looked at before the policy has agreed.
 */
import type { Authenticator } from '../auth/identity.ts'
import type { Decision, Policy, PushRights } from '../auth/policy.ts'
import { anonymous } from '../auth/principal.ts'
import type { Principal } from '../auth/principal.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import { DeniedError, UnauthorizedError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import type { Route } from './route.ts'

export interface AuthorizeDeps {
  readonly authenticator: Authenticator
  readonly policy: Policy
}

/** Who asks, and what of a push it may do. */
export interface Authorized {
  readonly principal: Principal
  readonly push: PushRights
}

const noPush: PushRights = Object.freeze({ create: false, update: false })

/**
 * Throws `UnauthorizedError` where other credentials may help, `DeniedError` where none do, and what the
 * authenticator throws for credentials that do not hold.
 */
export async function authorize(
  exchange: Exchange,
  asked: { readonly route: Route; readonly repository: RepositoryName | undefined },
  { authenticator, policy }: AuthorizeDeps,
): Promise<Authorized> {
  const { action } = asked.route
  if (action === 'none') return { principal: anonymous, push: noPush }
  const { incoming, origin } = exchange
  const principal = await authenticator.authenticate(incoming.headers.authorization, origin)
  exchange.principal = principal
  if (action === 'enter' || action === 'catalog') checkEntry(principal, action, policy)
  else if (asked.repository !== undefined) {
    const push = checkDecision(await policy.decide(principal, action, asked.repository))
    return { principal, push: push ?? noPush }
  }
  return { principal, push: noPush }
}

function checkEntry(principal: Principal, action: 'enter' | 'catalog', policy: Policy): void {
  if (!policy.mayEnter(principal)) {
    throw new UnauthorizedError('this registry asks who you are: log in with a user name and a password')
  }
  if (action === 'enter' || principal.scopes === undefined) return
  const covered = principal.scopes.some(
    ({ type, name, actions }) => type === 'registry' && name === 'catalog' && actions.includes('*'),
  )
  if (!covered)
    throw new UnauthorizedError('the token is not for the catalog: ask for one', 'insufficient_scope')
}

function checkDecision(decision: Decision): PushRights | undefined {
  if (decision.allowed) return decision.push
  if (decision.refusal === 'rights') throw new DeniedError(decision.reason)
  throw new UnauthorizedError(
    decision.reason,
    decision.refusal === 'scope' ? 'insufficient_scope' : undefined,
  )
}
