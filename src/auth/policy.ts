/**
 * @module
 * Who may do what. A policy answers: may this principal do that in this repository, what of a token request is
 * granted, and what may be seen of other repositories. It is asked once per request, before the handler runs, with the
 * action that the route table names. It knows nothing of HTTP; `http/` turns a refusal into 401 or 403.
 */
import type { VisibleRepositories } from '../metadata/visible-repositories.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import type { Principal } from './principal.ts'
import type { Scope } from './scope.ts'

export type Action = 'pull' | 'push' | 'delete'

export type Decision =
  | { readonly allowed: true }
  | {
      readonly allowed: false
      /** `credentials`: other or more credentials may help (401). `scope`: the token does not carry it (401). `rights`: nothing of this principal helps (403). */
      readonly refusal: 'credentials' | 'scope' | 'rights'
      /** One line that says what, why and what to do; the same for forbidden and absent. */
      readonly reason: string
    }

export interface Policy {
  /** May `GET /v2/` answer 200 to this principal. */
  mayEnter(principal: Principal): boolean
  decide(principal: Principal, action: Action, repository: RepositoryName): Decision | Promise<Decision>
  /** Of what a token was asked for, what it gets; a scope of which nothing is granted stays with no actions. */
  grant(principal: Principal, scopes: readonly Scope[]): Promise<Scope[]>
  /** Public ones (where anonymous may pull or the principal is a user), internal ones for users, and all of the owner's own. */
  visibleTo(principal: Principal): VisibleRepositories
  /** Of a repository that this principal's push creates; without its name: below a name where the principal may do all. */
  newRepositoryVisibility(
    principal: Principal,
    repository?: RepositoryName,
  ): 'public' | 'internal' | 'private'
}
