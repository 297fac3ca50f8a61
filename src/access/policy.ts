/**
 * @module
 * Who may do what. A policy decides whether a principal may perform an action in a repository, which scopes of a token request
 * are granted, and which other repositories are visible. It decides before the handler runs, by the action in the route table,
 * and again if the request had to wait. It knows nothing of HTTP; `edge/decide.ts` turns a refusal into 401 or 403.
 */
import type { MaybePromise } from '../lib/maybe-promise.ts'
import type { OwnersSeen } from '../metadata/owners/list-owners.ts'
import type { VisibleRepositories } from '../metadata/repositories/visible-repositories.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import type { Permission } from './permissions.ts'
import type { Principal } from '../identity/principal.ts'
import type { Scope } from './scope.ts'

/** How long a decision holds, in milliseconds. A request that waits longer, for its body or for memory, is decided again. */
export const decisionHoldsMs = 250

/** An action as routes and token scopes name it. `push` needs one of its two permissions. */
export type Action = 'pull' | 'push' | 'delete'

/** The client that waits for work that takes turns with other work. */
export interface Asker {
  /** The account, the owner of a robot, or the address of a client without an account. */
  readonly party: string
  /** Aborted when the client no longer waits. */
  readonly signal: AbortSignal
}

/** The kinds of tag changes that a push may make. Making a repository needs `create` too. */
export interface PushRights {
  readonly create: boolean
  readonly update: boolean
}

export type Decision =
  | {
      readonly allowed: true
      /** Present if the action is `push`. */
      readonly push?: PushRights
    }
  | Refusal

export interface Refusal {
  readonly allowed: false
  /** `credentials`: other credentials may help (401). `scope`: the token lacks the scope (401). `rights`: no credential of this principal helps (403). */
  readonly refusal: 'credentials' | 'scope' | 'rights'
  /** One line that says what, why and what to do; the same for forbidden and missing repositories. */
  readonly reason: string
}

/** A decision with the reason that a refusal hides: for administrators and everyone who grants rights. */
export interface Explanation {
  readonly allowed: boolean
  /** `allowed because grant 12 gives writer on acme/web/** to team acme/dev`, `denied because ...`. */
  readonly text: string
  /** The text after `allowed because` or `denied because`. */
  readonly reason: string
  /** The grant that allows it, where the reason is a grant. */
  readonly grantId: number | undefined
  /** The weakest built-in role that would end the denial, and where; absent if no grant would. */
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
  /** Decides on a whole owner, which need not exist. */
  decideOwner(principal: Principal, permission: Permission, owner: string): MaybePromise<Decision>
  /** Returns the same decision with its reason, for askers who may know the rights in the repository. */
  explain(principal: Principal, action: Action | Permission, repository: RepositoryName): Promise<Explanation>
  /**
   * Returns the granted part of the scopes; a scope of which nothing is granted stays, without actions. Throws the reason of
   * the asker's signal.
   */
  grant(principal: Principal, scopes: readonly Scope[], asker?: Asker): Promise<Scope[]>
  /** Returns which repositories the principal may see: public ones (if anonymous may pull, or as a user), internal ones (as a user), its own, and granted ones. */
  visibleTo(principal: Principal): MaybePromise<VisibleRepositories>
  /** Returns which owners to read for the list of visible owners; `decideOwner` decides on each. */
  ownersSeenBy(principal: Principal): MaybePromise<OwnersSeen>
  /** Returns the visibility of a repository that the principal's push creates; without a name: below an owner where it may do everything. */
  newRepositoryVisibility(
    principal: Principal,
    repository?: RepositoryName,
  ): 'public' | 'internal' | 'private'
}
