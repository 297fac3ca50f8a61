/** What a row needs of its caller. The rows of both surfaces name it; `decide.ts` checks it before the handler runs. */
import type { Action } from '../access/policy.ts'
import type { RepositoryName } from '../oci/repository-name.ts'

/**
 * Rows of `/v2`. `pull`, `push` and `delete` are decided by the policy for the repository of the path. `enter` and
 * `catalog` are for everyone whom the registry lets in; a token for `catalog` must say so. `none` asks nobody who they are.
 */
export type RegistryNeed = Action | 'enter' | 'catalog' | 'none'

/**
 * Rows of the management API. `public` needs no login. `user`: anyone who is logged in, robots too, also with a narrowed
 * access token. `self`: a user on its own account, whose credential is not narrowed. `administrator`: likewise.
 * `owner:…` and `repository:…`: the right that the policy decides on for the `{owner}` or `{repository}` of the path; to
 * delete a whole repository takes `manage` too. `Gives` restricts the credential further.
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
 * `access`: the row makes something that outlasts the request: an account, a credential, or rights of others. A limited
 * credential (`identity/limited-credentials.ts`) is refused there. `rotation`: the token that is sent may also replace itself.
 */
export type Gives = 'access' | 'rotation'

/** What the path names. */
export interface Target {
  readonly repository?: RepositoryName | undefined
  readonly owner?: string | undefined
  /** The id of an access token. */
  readonly token?: number | undefined
}

export interface Asked {
  readonly need: Need
  readonly gives?: Gives | undefined
  /** A function where the path is parsed after the caller is checked; what it throws refuses the request. */
  readonly target: Target | (() => Target)
}

/** `none` and `public` look at no credentials. */
export function asksWho({ need }: Asked): boolean {
  return need !== 'none' && need !== 'public'
}
