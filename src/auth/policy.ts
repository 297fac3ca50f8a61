/**
 * @module
 * Who may do what. A policy answers: may this principal do that in this repository, what of a token request is
 * granted, and what may be seen of other repositories. It is asked once per request, before the handler runs, with the
 * action that the route table names. It knows nothing of HTTP; `http/` turns a refusal into 401 or 403.
 */
import type { OwnersSeen } from '../metadata/list-owners.ts'
import type { VisibleRepositories } from '../metadata/visible-repositories.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import type { Permission } from './permissions.ts'
import type { Principal } from './principal.ts'
import type { Scope } from './scope.ts'

/** As routes and token scopes name it; `push` is for those who have one of its two permissions. */
export type Action = 'pull' | 'push' | 'delete'

type MaybePromise<T> = T | Promise<T>

/** What a push may do to tags. Making a repository takes `create` too. */
export interface PushRights {
  readonly create: boolean
  readonly update: boolean
}

export type Decision =
  | {
      readonly allowed: true
      /** Where `push` was asked about: which kinds of it. */
      readonly push?: PushRights
    }
  | Refusal

export interface Refusal {
  readonly allowed: false
  /** `credentials`: other or more credentials may help (401). `scope`: the token does not carry it (401). `rights`: nothing of this principal helps (403). */
  readonly refusal: 'credentials' | 'scope' | 'rights'
  /** One line that says what, why and what to do; the same for forbidden and absent. */
  readonly reason: string
}

/** For administrators and those who give rights: it tells what a refusal keeps quiet. */
export interface Explanation {
  readonly allowed: boolean
  /** `allowed because grant 12 gives writer on acme/web/** to team acme/dev`, `denied because ...`. */
  readonly text: string
  /** The text without its first two words. */
  readonly reason: string
  /** The one that suffices by itself, where a grant is the reason. */
  readonly grantId: number | undefined
  /** Of a denial that a grant would end: the weakest built-in role that would do, and where. */
  readonly remedy: { readonly role: string; readonly on: string } | undefined
}

export interface Policy {
  /** May `GET /v2/` answer 200 to this principal. */
  mayEnter(principal: Principal): boolean
  decide(
    principal: Principal,
    action: Action | Permission,
    repository: RepositoryName,
  ): MaybePromise<Decision>
  /** Of what concerns an owner as a whole, whether there is one of that name or not. */
  decideOwner(principal: Principal, permission: Permission, owner: string): MaybePromise<Decision>
  /** The same decision with its reasons. Whoever is shown it may know all of the repository's rights. */
  explain(principal: Principal, action: Action | Permission, repository: RepositoryName): Promise<Explanation>
  /** Of what a token was asked for, what it gets; a scope of which nothing is granted stays with no actions. */
  grant(principal: Principal, scopes: readonly Scope[]): Promise<Scope[]>
  /** Public ones (where anonymous may pull or the principal is a user), internal ones for users, all of the owner's own, and granted ones. */
  visibleTo(principal: Principal): MaybePromise<VisibleRepositories>
  /** Where to look for owners that the principal may see, so that no others are read; `decideOwner` decides on each. */
  ownersSeenBy(principal: Principal): MaybePromise<OwnersSeen>
  /** Of a repository that this principal's push creates; without its name: below a name where the principal may do all. */
  newRepositoryVisibility(
    principal: Principal,
    repository?: RepositoryName,
  ): 'public' | 'internal' | 'private'
}
