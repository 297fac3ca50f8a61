/**
 * @module
 * Who may do what. A policy answers two questions: may this principal do that in this repository, and what may it see
 * of the others. It is asked once per request, before the handler runs, with the action that the route table names.
 * It knows nothing of HTTP; `http/` turns a refusal into 401 or 403.
 */
import type { RepositoryName } from '../oci/repository-name.ts'
import type { Principal } from './principal.ts'

export type Action = 'pull' | 'push' | 'delete'

/** How a client may prove who it is; becomes a `WWW-Authenticate` line (RFC 9110, 11.6.1). */
export interface Challenge {
  readonly scheme: 'Basic' | 'Bearer'
  readonly parameters: Readonly<Record<string, string>>
}

export type Decision =
  | { readonly allowed: true }
  /** Other credentials may help: 401 with the challenges. */
  | {
      readonly allowed: false
      readonly refusal: 'unauthorized'
      readonly reason: string
      readonly challenges: readonly Challenge[]
    }
  /** No credentials of this principal help: 403. */
  | { readonly allowed: false; readonly refusal: 'denied'; readonly reason: string }

/** What of other repositories a principal may see (mount, catalog), in a form that joins into a query. */
export interface Visibility {
  readonly publicOnly: boolean
}

export interface Policy {
  decide(principal: Principal, action: Action, repository: RepositoryName): Decision | Promise<Decision>
  visibleTo(principal: Principal): Visibility
}

const allowed: Decision = Object.freeze({ allowed: true })
const publicOnly: Visibility = Object.freeze({ publicOnly: true })

/** `auth.anonymous: push`: anyone may pull, push and delete, and sees public repositories. */
export const openPolicy: Policy = {
  decide: () => allowed,
  visibleTo: () => publicOnly,
}
