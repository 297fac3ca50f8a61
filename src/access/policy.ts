/**
 * @module
 * Who may do what. A policy answers: may this principal do that in this repository, what of a token request is
 * granted, and what may be seen of other repositories. It is asked before the handler runs, with the action
 * that the route table names, and again where the request had to wait. It knows nothing of HTTP; `http/` turns a refusal into 401 or 403.
 */
import type { MaybePromise } from '../lib/maybe-promise.ts'
import type { OwnersSeen } from '../metadata/owners/list-owners.ts'
import type { VisibleRepositories } from '../metadata/repositories/visible-repositories.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import type { Permission } from './permissions.ts'
import type { Principal } from '../identity/principal.ts'
import type { Scope } from './scope.ts'

/** A decision holds for this time, in milliseconds. What waits longer, for a body or for memory, is decided again. */
export const decisionHoldsMs = 250

/** An action as routes and token scopes name it. `push` needs one of its two permissions. */
export type Action = 'pull' | 'push' | 'delete'

/** The kinds of tag changes that a push may make. Making a repository needs `create` too. */
export interface PushRights {
  readonly create: boolean
  readonly update: boolean
}

export type Decision =
  | {
      readonly allowed: true
      /** Present where `push` was asked about. */
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

/** A decision with its reason, which a refusal hides, for administrators and anyone who gives rights. */
export interface Explanation {
  readonly allowed: boolean
  /** `allowed because grant 12 gives writer on acme/web/** to team acme/dev`, `denied because ...`. */
  readonly text: string
  /** The text after `allowed because` or `denied because`. */
  readonly reason: string
  /** The grant that allows it, where the reason is a grant. */
  readonly grantId: number | undefined
  /** The weakest built-in role that would end the denial, and where; absent where no grant would. */
  readonly remedy: { readonly role: string; readonly on: string } | undefined
}

export interface Policy {
  /** Whether `GET /v2/` answers 200 to this principal. */
  mayEnter(principal: Principal): boolean
  decide(
    principal: Principal,
    action: Action | Permission,
    repository: RepositoryName,
  ): MaybePromise<Decision>
  /** Decides on an owner as a whole, whether there is one of that name or not. */
  decideOwner(principal: Principal, permission: Permission, owner: string): MaybePromise<Decision>
  /** Returns the same decision with its reason, for askers who may know the rights in the repository. */
  explain(principal: Principal, action: Action | Permission, repository: RepositoryName): Promise<Explanation>
  /** Returns the part of the scopes that a token gets; a scope of which nothing is granted stays, without actions. */
  grant(principal: Principal, scopes: readonly Scope[]): Promise<Scope[]>
  /** Returns what the principal may see: public repositories (where anonymous may pull or it is a user), internal ones as a user, its own, and granted ones. */
  visibleTo(principal: Principal): MaybePromise<VisibleRepositories>
  /** Returns which owners to read for a list of those that the principal may see; `decideOwner` decides on each. */
  ownersSeenBy(principal: Principal): MaybePromise<OwnersSeen>
  /** Returns the visibility of a repository that a push of the principal creates; without a name: below an owner where it may do everything. */
  newRepositoryVisibility(
    principal: Principal,
    repository?: RepositoryName,
  ): 'public' | 'internal' | 'private'
}
