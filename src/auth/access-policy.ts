/**
 * The policy of users and owners: an administrator may do everything, an owner everything below its own name, everyone
 * may pull what is public, and under `auth.anonymous: push` also push there. Rights are looked up with each request and
 * never remembered; a bearer token narrows them and widens nothing.
 */
import type { Owner } from '../metadata/repositories.ts'
import { isInternal, isPublic } from '../metadata/visible-repositories.ts'
import type { RepositoryVisibility, VisibleRepositories } from '../metadata/visible-repositories.ts'
import { NameInvalidError, ownerOf, parseRepositoryName } from '../oci/repository-name.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import type { Action, Decision, Policy } from './policy.ts'
import type { Principal, AccountPrincipal } from './principal.ts'
import { formatScope, includesAction } from './scope.ts'
import type { Scope } from './scope.ts'

export type AnonymousMode = 'none' | 'pull' | 'push'

export interface PolicyOptions {
  readonly anonymous: AnonymousMode
  /** Of repositories that users create. */
  readonly newRepositoryVisibility: 'public' | 'internal' | 'private'
  readonly findAccess: (repository: RepositoryName) => MaybePromise<RepositoryVisibility | undefined>
  readonly findOwner: (name: string) => MaybePromise<Pick<Owner, 'visibility'> | undefined>
}

type MaybePromise<T> = T | Promise<T>
type Rights = ReadonlySet<Action>

const actions: readonly Action[] = ['pull', 'push', 'delete']
const all: Rights = new Set(actions)
const pullOnly: Rights = new Set(['pull'])
const none: Rights = new Set()
const allowed: Decision = Object.freeze({ allowed: true })

export function createPolicy(options: PolicyOptions): Policy {
  return new AccessPolicy(options)
}

class AccessPolicy implements Policy {
  readonly #options: PolicyOptions

  constructor(options: PolicyOptions) {
    this.#options = options
  }

  mayEnter(principal: Principal): boolean {
    if (this.#options.anonymous === 'push' || principal.kind === 'user') return true
    return principal.scopes !== undefined
  }

  decide(principal: Principal, action: Action, repository: RepositoryName): MaybePromise<Decision> {
    if (!includesAction(principal.scopes, repository, action))
      return refuseScope(principal, action, repository)
    if (ownsAll(principal, repository)) return allowed
    const found = this.#findRights(principal, repository)
    const conclude = (rights: Rights): Decision =>
      rights.has(action) ? allowed : refuse(principal, action, repository)
    return found instanceof Promise ? found.then(conclude) : conclude(found)
  }

  async grant(principal: Principal, scopes: readonly Scope[]): Promise<Scope[]> {
    const granted: Scope[] = []
    for (const scope of scopes) {
      granted.push({ ...scope, actions: await this.#grantActions(principal, scope) })
    }
    return granted
  }

  visibleTo(principal: Principal): VisibleRepositories {
    if (principal.kind === 'anonymous') {
      return { all: false, public: this.#options.anonymous !== 'none', internal: false, owner: undefined }
    }
    if (principal.isAdmin) return { all: true }
    return { all: false, public: true, internal: true, owner: principal.name }
  }

  /** What someone creates below another's name stays within reach of those who could create it. */
  newRepositoryVisibility(
    principal: Principal,
    repository?: RepositoryName,
  ): 'public' | 'internal' | 'private' {
    if (principal.kind === 'anonymous') return 'public'
    if (repository !== undefined && !ownsAll(principal, repository)) return 'public'
    return this.#options.newRepositoryVisibility
  }

  async #grantActions(principal: Principal, scope: Scope): Promise<string[]> {
    if (principal.kind === 'anonymous' && this.#options.anonymous === 'none') return []
    if (scope.type === 'registry') return scope.name === 'catalog' && scope.actions.includes('*') ? ['*'] : []
    const repository = findRepositoryName(scope.name)
    if (repository === undefined) return []
    const rights = ownsAll(principal, repository) ? all : await this.#findRights(principal, repository)
    const asked = scope.actions.includes('*')
      ? actions
      : actions.filter((action) => scope.actions.includes(action))
    return asked
      .filter((action) => rights.has(action) && includesAction(principal.scopes, repository, action))
      .toSorted()
  }

  /** Of those who are neither administrator nor owner: the same query whether the repository exists or not. */
  #findRights(principal: Principal, repository: RepositoryName): MaybePromise<Rights> {
    const found = this.#options.findAccess(repository)
    const conclude = (access: RepositoryVisibility | undefined): MaybePromise<Rights> =>
      access === undefined ? this.#rightsToCreate(repository) : this.#rightsIn(access, principal)
    return found instanceof Promise ? found.then(conclude) : conclude(found)
  }

  #rightsIn(access: RepositoryVisibility, { kind }: Principal): Rights {
    const { anonymous } = this.#options
    if (isPublic(access)) {
      if (anonymous === 'push') return all
      return kind === 'user' || anonymous === 'pull' ? pullOnly : none
    }
    return kind === 'user' && isInternal(access) ? pullOnly : none
  }

  /** Where anyone may push, anyone may create what will be public, and hears truly that it is not there yet. */
  #rightsToCreate(repository: RepositoryName): MaybePromise<Rights> {
    return this.#options.anonymous === 'push' ? this.#rightsBelow(ownerOf(repository)) : none
  }

  async #rightsBelow(name: string): Promise<Rights> {
    const owner = await this.#options.findOwner(name)
    return owner === undefined || owner.visibility === 'public' ? all : none
  }
}

function ownsAll(principal: Principal, repository: RepositoryName): boolean {
  if (principal.kind === 'anonymous') return false
  return principal.isAdmin || ownerOf(repository) === principal.name
}

function findRepositoryName(text: string): RepositoryName | undefined {
  try {
    return parseRepositoryName(text)
  } catch (error) {
    if (error instanceof NameInvalidError) return undefined
    throw error
  }
}

const verbs = { pull: 'pull from', push: 'push to', delete: 'delete from' } satisfies Record<Action, string>

/**
 * Without a look at the rights, which are nobody's business beyond the token's scopes: it says only what follows from the
 * token and the names. A repository that the token names was asked for, and its owner would have got all of it.
 */
function refuseScope(principal: Principal, action: Action, repository: RepositoryName): Decision {
  return { allowed: false, refusal: 'scope', reason: explainScope(principal, action, repository) }
}

function explainScope(principal: Principal, action: Action, repository: RepositoryName): string {
  const what = `${verbs[action]} ${repository}`
  const wasAsked = principal.scopes?.some(({ type, name }) => type === 'repository' && name === repository)
  if (!wasAsked || (principal.kind === 'user' && principal.name === ownerOf(repository))) {
    const needed = formatScope({ type: 'repository', name: repository, actions: scopeActions[action] })
    return `the token does not allow to ${what}: get one with the scope ${needed}`
  }
  if (principal.kind === 'anonymous') return `a token without a login does not allow to ${what}: log in`
  return `user ${principal.name} may not ${what} with this token: ${adviseUser(principal, action, repository)}`
}

const scopeActions = { pull: ['pull'], push: ['pull', 'push'], delete: ['delete'] } satisfies Record<
  Action,
  string[]
>

/** The same for what is forbidden and what does not exist. */
function refuse(principal: Principal, action: Action, repository: RepositoryName): Decision {
  const what = `${verbs[action]} ${repository}`
  if (principal.kind === 'anonymous') {
    return { allowed: false, refusal: 'credentials', reason: `only users with the right may ${what}: log in` }
  }
  const advice = adviseUser(principal, action, repository)
  return { allowed: false, refusal: 'rights', reason: `user ${principal.name} may not ${what}: ${advice}` }
}

function adviseUser({ name }: AccountPrincipal, action: Action, repository: RepositoryName): string {
  const others = `ask ${ownerOf(repository)} or an administrator`
  return action === 'push' ? `push below your own name, ${name}/, or ${others}` : others
}
