/**
 * The policy over the database: looks up the facts for a decision of `decide.ts` and words its refusals. Administrators and
 * owners need no look-up. For all others, each request reads the repository's visibility, and grants are cached until any right
 * changes. A bearer or access token narrows rights and never widens them.
 */
import { Turns } from '../lib/turns/turns.ts'
import { andThen, andThenBoth } from '../lib/maybe-promise.ts'
import type { MaybePromise } from '../lib/maybe-promise.ts'
import type { OwnersSeen } from '../metadata/owners/list-owners.ts'
import type { Owner } from '../metadata/owners/owners.ts'
import type { Visibility } from '../metadata/owners/schema.ts'
import type {
  RepositoryVisibility,
  VisibleRepositories,
} from '../metadata/repositories/visible-repositories.ts'
import { findRepositoryName, ownerOf } from '../oci/repository-name.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import type { Permission } from './permissions.ts'
import type { Action, Asker, Decision, Explanation, Policy, PushRights } from './policy.ts'
import { partyOf } from './party.ts'
import type { Principal } from '../identity/principal.ts'
import { refuse, refuseOwner } from './refusals.ts'
import { decide, decideOwner, findBound, limitsOf, standingOf } from './decide.ts'
import type { AnonymousMode, Facts, Verdict } from './decide.ts'
import { explainVerdict } from './explain/explain-verdict.ts'
import { noGrants } from './grants/held-grants.ts'
import type { HeldGrants } from './grants/held-grants.ts'
import { nameSetOf } from './patterns/name-set.ts'
import type { Scope } from './scope.ts'

export type { AnonymousMode }

export interface PolicyOptions {
  readonly anonymous: AnonymousMode
  /** The visibility of repositories that users create. */
  readonly newRepositoryVisibility: 'public' | 'internal' | 'private'
  readonly findAccess: (repository: RepositoryName) => MaybePromise<RepositoryVisibility | undefined>
  /** Returns an owner's visibility to callers without a right below the name; `undefined` if the name is free. */
  readonly findOwner: (name: string) => MaybePromise<Pick<Owner, 'visibility'> | undefined>
  readonly grantsOf: (accountId: number) => MaybePromise<HeldGrants>
}

const actions: readonly Action[] = ['pull', 'push', 'delete']
const allowed: Decision = Object.freeze({ allowed: true })
const open: RepositoryVisibility = Object.freeze({ visibility: 'public', ownerVisibility: 'public' })

export function createPolicy(options: PolicyOptions): Policy {
  return new AccessPolicy(options)
}

class AccessPolicy implements Policy {
  readonly #options: PolicyOptions

  constructor(options: PolicyOptions) {
    this.#options = options
  }

  mayEnter(principal: Principal): boolean {
    if (this.#options.anonymous === 'push' || principal.kind !== 'anonymous') return true
    return principal.scopes !== undefined && this.#options.anonymous === 'pull'
  }

  decide(
    principal: Principal,
    action: Action | Permission,
    repository: RepositoryName,
  ): MaybePromise<Decision> {
    const bound = boundOf(principal, action, repository)
    if (bound !== undefined) return refuse(principal, { action, repository, by: bound })
    const facts = this.#findFacts(principal, repository)
    return andThen(facts, (found) => conclude(found, action, repository))
  }

  decideOwner(principal: Principal, permission: Permission, owner: string): MaybePromise<Decision> {
    const { anonymous } = this.#options
    const held = standingOf(principal, owner) === undefined ? this.#findGrants(principal) : noGrants
    return andThen(held, (grants): Decision => {
      const verdict = decideOwner({ anonymous, principal, grants }, permission, owner)
      return verdict.allowed ? allowed : refuseOwner(principal, { permission, owner, by: verdict.by })
    })
  }

  async explain(
    principal: Principal,
    action: Action | Permission,
    repository: RepositoryName,
  ): Promise<Explanation> {
    const facts = await this.#findFacts(principal, repository)
    return explainVerdict(judge(facts, action, repository).verdict, { facts, action, repository })
  }

  async grant(principal: Principal, scopes: readonly Scope[], asker?: Asker): Promise<Scope[]> {
    const granted: Scope[] = []
    // Each may be compared with every grant of the principal.
    const turns = new Turns({ party: partyOf(principal), ...asker })
    for (const scope of scopes) {
      await turns.pass()
      granted.push({ ...scope, actions: await this.#grantActions(principal, scope) })
    }
    return granted
  }

  visibleTo(principal: Principal): MaybePromise<VisibleRepositories> {
    if (principal.kind === 'anonymous') {
      return { all: false, public: this.#options.anonymous !== 'none', internal: false, owner: undefined }
    }
    const { limits } = principal
    if (limits?.permissions?.has('pull') === false) return { all: false, public: false, owner: undefined }
    const within = limits?.patterns === undefined ? {} : { within: nameSetOf(limits.patterns) }
    if (principal.isAdmin) return { all: true, ...within }
    const isUser = principal.kind === 'user'
    return andThen(this.#findGrants(principal), ({ pullable }): VisibleRepositories => ({
      all: false,
      public: isUser || this.#options.anonymous !== 'none',
      internal: isUser,
      owner: isUser ? principal.name : undefined,
      ...(pullable !== undefined && { granted: pullable }),
      ...within,
    }))
  }

  ownersSeenBy(principal: Principal): MaybePromise<OwnersSeen> {
    const visibilities = openVisibilities(principal)
    // Like `decideOwner`: a hidden owner needs a right on the whole owner, which bearer tokens never carry.
    if (principal.kind === 'anonymous' || principal.scopes !== undefined) return { visibilities, names: [] }
    const { limits } = principal
    if (limits?.permissions?.has('pull') === false) return { visibilities, names: [] }
    if (principal.isAdmin) return { visibilities: everyVisibility, names: [] }
    const own = principal.kind === 'user' ? [principal.name] : []
    return andThen(this.#findGrants(principal), ({ owners }) => ({
      visibilities,
      names: [...own, ...owners],
    }))
  }

  /** A repository that anyone may create is visible to anyone. */
  newRepositoryVisibility(
    principal: Principal,
    repository?: RepositoryName,
  ): 'public' | 'internal' | 'private' {
    if (principal.kind === 'anonymous') return 'public'
    const isOthers = repository !== undefined && standingOf(principal, ownerOf(repository)) === undefined
    return isOthers && this.#options.anonymous === 'push' ? 'public' : this.#options.newRepositoryVisibility
  }

  async #grantActions(principal: Principal, scope: Scope): Promise<string[]> {
    if (principal.kind === 'anonymous' && this.#options.anonymous === 'none') return []
    if (scope.type === 'registry') return scope.name === 'catalog' && scope.actions.includes('*') ? ['*'] : []
    const repository = findRepositoryName(scope.name)
    if (repository === undefined) return []
    const facts = await this.#findFacts(principal, repository)
    const asked = scope.actions.includes('*')
      ? actions
      : actions.filter((action) => scope.actions.includes(action))
    return asked.filter((action) => conclude(facts, action, repository).allowed).toSorted()
  }

  /** For principals that are neither administrator nor owner, runs the same queries whether the repository exists or not. */
  #findFacts(principal: Principal, repository: RepositoryName): MaybePromise<Facts> {
    const { anonymous } = this.#options
    if (standingOf(principal, ownerOf(repository)) !== undefined) {
      return { anonymous, principal, grants: noGrants, visibility: undefined }
    }
    const grants = this.#findGrants(principal)
    const visibility = this.#findVisibility(repository)
    return andThenBoth(grants, visibility, (held, seen) => {
      return { anonymous, principal, grants: held, visibility: seen }
    })
  }

  #findGrants(principal: Principal): MaybePromise<HeldGrants> {
    return principal.kind === 'anonymous' ? noGrants : this.#options.grantsOf(principal.accountId)
  }

  #findVisibility(repository: RepositoryName): MaybePromise<RepositoryVisibility | undefined> {
    const found: MaybePromise<RepositoryVisibility | undefined> = this.#options.findAccess(repository)
    return andThen(found, (access) => access ?? this.#visibilityToCome(repository))
  }

  /** Where anyone may push, anyone may create a public repository, so the answer that it does not exist reveals nothing. */
  #visibilityToCome(repository: RepositoryName): MaybePromise<RepositoryVisibility | undefined> {
    return this.#options.anonymous === 'push' ? this.#visibilityBelow(ownerOf(repository)) : undefined
  }

  async #visibilityBelow(name: string): Promise<RepositoryVisibility | undefined> {
    const owner = await this.#options.findOwner(name)
    return owner === undefined || owner.visibility === 'public' ? open : undefined
  }
}

const everyVisibility: readonly Visibility[] = ['public', 'internal', 'private']

/** Returns the visibilities of owners that the principal sees without a right on them. */
export function openVisibilities({ kind }: Pick<Principal, 'kind'>): readonly Visibility[] {
  return kind === 'user' ? ['public', 'internal'] : ['public']
}

/** Returns the bounds that the request itself sets, before any look-up. */
function boundOf(
  principal: Principal,
  action: Action | Permission,
  repository: RepositoryName,
): 'scope' | 'limits' | undefined {
  if (principal.scopes === undefined && limitsOf(principal) === undefined) return undefined
  const bounds = permissionsOf(action).map((permission) => findBound(principal, permission, repository))
  return bounds.includes(undefined) ? undefined : bounds[0]
}

interface Judgement {
  readonly verdict: Verdict
  /** Present if the action is `push`. */
  readonly push?: PushRights
}

/** Decides for requests and for explanations alike. */
function judge(facts: Facts, action: Action | Permission, repository: RepositoryName): Judgement {
  if (action !== 'push') return { verdict: decide(facts, action, repository) }
  const create = decide(facts, 'push:create', repository)
  const update = decide(facts, 'push:update', repository)
  const push: PushRights = { create: create.allowed, update: update.allowed }
  if (create.allowed) return { verdict: create, push }
  return { verdict: update.allowed ? update : hardest(create, update), push }
}

function conclude(facts: Facts, action: Action | Permission, repository: RepositoryName): Decision {
  const { verdict, push } = judge(facts, action, repository)
  if (!verdict.allowed) return refuse(facts.principal, { action, repository, by: verdict.by })
  return push === undefined ? allowed : { allowed: true, push }
}

type Refused = Extract<Verdict, { readonly allowed: false }>

/** Returns the refusal that is harder to resolve: a grant, then another access token, then another scope. */
function hardest(one: Refused, other: Refused): Refused {
  const reasons = ['rights', 'limits', 'scope']
  return reasons.indexOf(other.by) < reasons.indexOf(one.by) ? other : one
}

function permissionsOf(action: Action | Permission): readonly Permission[] {
  return action === 'push' ? ['push:create', 'push:update'] : [action]
}
