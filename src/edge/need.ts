/**
 * The right that a row needs from its caller. The rows of both surfaces name it; `decide.ts` checks it before the
 * handler runs.
 */
import type { Action } from '../access/policy.ts'
import type { RepositoryName } from '../oci/repository-name.ts'

/**
 * The needs of `/v2`. The policy decides `pull`, `push` and `delete` for the repository in the path. `enter` and `catalog` admit
 * everyone who may use the registry; a token for `catalog` must have its scope. `none` checks no credentials.
 */
export type RegistryNeed = Action | 'enter' | 'catalog' | 'none'

/**
 * The needs of the management API. `public` needs no login. `user`: anyone who is logged in, robots included, also with
 * a narrowed access token. `self`: a user on their own account, with a credential that is not narrowed.
 * `administrator`: an administrator, with a credential that is not narrowed. `owner:…` and `repository:…`: the right
 * that the policy decides for the `{owner}` or `{repository}` in the path; deleting a whole repository also needs
 * `manage`. `Gives` restricts the credential further.
 */
export type ManagementNeed =
  | 'public'
  | 'user'
  | 'self'
  | 'administrator'
  | 'owner:see'
  | 'owner:administer'
  | 'repository:pull'
  | 'repository:administer'
  | 'repository:manage'
  | 'repository:delete'

export type Need = RegistryNeed | ManagementNeed

/**
 * `access`: the row creates something that outlasts the request (an account, a credential, or rights of others), so it
 * refuses a limited credential (`identity/limited-credentials.ts`). `rotation`: likewise, except that a token may
 * replace itself.
 */
export type Gives = 'access' | 'rotation'

/** The resource that the path names. */
export interface Target {
  readonly repository?: RepositoryName | undefined
  readonly owner?: string | undefined
  /** The id of an access token. */
  readonly token?: number | undefined
}

export interface Asked {
  readonly need: Need
  readonly gives?: Gives | undefined
  /** A function if the path is parsed after the caller is checked; an error that it throws refuses the request. */
  readonly target: Target | (() => Target)
}

/** Whether the caller must be identified; `none` and `public` read no credentials. */
export function asksWho({ need }: Asked): boolean {
  return need !== 'none' && need !== 'public'
}
