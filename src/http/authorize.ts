/**
 * Who asks, and whether the route may be served to it: the one place between the grammar of a request and its
 * handler. No handler runs and no state of a repository is looked at before the policy has agreed.
 */
import type { Authenticator } from '../identity/identity.ts'
import { CredentialsError, endedMeanwhile } from '../identity/errors.ts'
import type { Decision, Policy, PushRights } from '../access/policy.ts'
import { anonymous } from '../identity/principal.ts'
import type { Principal } from '../identity/principal.ts'
import type { Aliases } from '../access/former-names/aliases.ts'
import { describeOldName, judgeOldName, underNewName } from '../access/former-names/old-names.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import { DeniedError, UnauthorizedError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import type { Route } from './route.ts'

export interface AuthorizeDeps {
  readonly authenticator: Authenticator
  readonly policy: Policy
  readonly aliases: Aliases
}

/** Who asks, for which repository, and what of a push it may do. */
export interface Authorized {
  readonly principal: Principal
  /** By the name it has now; `undefined` where the route has none. */
  readonly repository: RepositoryName | undefined
  readonly push: PushRights
}

interface Asked {
  readonly action: Exclude<Route['action'], 'none'>
  readonly repository: RepositoryName | undefined
}

const noPush: PushRights = Object.freeze({ create: false, update: false })

/**
 * Throws `UnauthorizedError` where other credentials may help, `DeniedError` where none do, and what the
 * authenticator throws for credentials that do not hold. A read with a token that this registry did not issue is
 * answered like one without a token; where that is refused, the refusal is about the token.
 */
export async function authorize(
  exchange: Exchange,
  { route, repository }: { readonly route: Route; readonly repository: RepositoryName | undefined },
  deps: AuthorizeDeps,
): Promise<Authorized> {
  const { action } = route
  if (action === 'none') return { principal: anonymous, repository, push: noPush }
  const asked = { action, repository }
  const { incoming, origin } = exchange
  let principal: Principal
  try {
    principal = await deps.authenticator.authenticate(incoming.headers.authorization, origin)
  } catch (error) {
    if (!isIgnorable(error, action)) throw error
    exchange.principal = anonymous
    return await authorizeAs(anonymous, asked, deps).catch((refusal: unknown) => {
      throw refusal instanceof UnauthorizedError || refusal instanceof DeniedError ? error : refusal
    })
  }
  exchange.principal = principal
  return authorizeAs(principal, asked, deps)
}

/**
 * Decides again, once the body of a request has arrived, which may be hours after its head. Throws as `authorize` when the
 * credential or the right was taken away meanwhile, so that nothing is changed with what no longer holds.
 */
export async function authorizeAgain(
  { principal, push }: Authorized,
  asked: Asked,
  deps: AuthorizeDeps,
): Promise<void> {
  if (!(await deps.authenticator.isCurrent(principal))) throw endedMeanwhile()
  const now = await authorizeAs(principal, asked, deps)
  const isLess = (push.create && !now.push.create) || (push.update && !now.push.update)
  if (isLess)
    throw new DeniedError(
      'rights were taken away while the body arrived: push again with those that are left',
    )
}

/**
 * Whether the request is a read with a token of another registry. A push is refused instead: its client wants to act as a
 * certain account, and what anonymous clients push becomes public. So is the ping, by which clients check their credentials.
 */
function isIgnorable(error: unknown, action: Asked['action']): boolean {
  return error instanceof CredentialsError && error.isForeign && (action === 'pull' || action === 'catalog')
}

async function authorizeAs(
  principal: Principal,
  { action, repository }: Asked,
  { policy, aliases }: AuthorizeDeps,
): Promise<Authorized> {
  if (action === 'enter' || action === 'catalog') checkEntry(principal, action, policy)
  else if (repository !== undefined) {
    const found = aliases.resolve(repository)
    const newName = found instanceof Promise ? await found : found
    if (newName === undefined) {
      const push = checkDecision(await policy.decide(principal, action, repository))
      return { principal, repository, push: push ?? noPush }
    }
    const names = { oldName: repository, newName }
    const judge = (who: Principal, name: RepositoryName) => policy.decide(who, action, name)
    const decision = await judgeOldName({ principal, isServed: action === 'pull', judge }, names)
    if (decision === 'renamed') throw new DeniedError(describeOldName(names))
    checkDecision(decision)
    return { principal: underNewName(principal, names), repository: newName, push: noPush }
  }
  return { principal, repository, push: noPush }
}

function checkEntry(principal: Principal, action: 'enter' | 'catalog', policy: Policy): void {
  if (!policy.mayEnter(principal)) {
    const error = principal.scopes === undefined ? undefined : 'insufficient_scope'
    const reason = 'this registry asks who you are: log in with a user name and a password'
    throw new UnauthorizedError(reason, error)
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
