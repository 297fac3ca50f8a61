/**
 * Repositories asked for by a name that their owner gave up. Pulls are answered as under the new name, without a
 * redirect: the scopes of tokens name what was asked for. Anyone who could push receives the new name; everyone else
 * receives what they would of a repository that does not exist.
 */
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import type { Principal } from '../../identity/principal.ts'

export interface OldName {
  readonly oldName: RepositoryName
  readonly newName: RepositoryName
}

interface Judged {
  readonly allowed: boolean
}

interface Question<V extends Judged> {
  readonly principal: Principal
  /** Whether the old name serves what is asked: pulls of clients, and explanations. */
  readonly isServed: boolean
  /** Decides by one name: `Policy.decide` or `Policy.explain`, which agree. */
  readonly judge: (principal: Principal, repository: RepositoryName) => MaybePromise<V>
}

/**
 * Decides on a repository asked for by its old name, for requests and for explanations alike. `renamed`: it is allowed,
 * but only by the new name, since by the old one nothing but pulls is served. What is pulled is the repository of the new
 * name, so a verdict on the old one never allows it: that one only words refusals.
 */
export function judgeOldName<V extends Judged>(
  question: Question<V> & { readonly isServed: true },
  names: OldName,
): Promise<V>
export function judgeOldName<V extends Judged>(question: Question<V>, names: OldName): Promise<V | 'renamed'>
export async function judgeOldName<V extends Judged>(
  { principal, isServed, judge }: Question<V>,
  names: OldName,
): Promise<V | 'renamed'> {
  const verdict = await judge(underNewName(principal, names), names.newName)
  if (verdict.allowed) return isServed ? verdict : 'renamed'
  const refusal = await judge(principal, names.oldName)
  if (!refusal.allowed) return refusal
  // Allowed by the old name alone, as for an administrator's access token that is limited to it.
  return isServed ? verdict : 'renamed'
}

/** Returns the principal with the scopes of the old name for the new name, too. */
export function underNewName(principal: Principal, { oldName, newName }: OldName): Principal {
  const { scopes } = principal
  if (scopes === undefined) return principal
  const renamed = scopes.filter(({ type, name }) => type === 'repository' && name === oldName)
  return { ...principal, scopes: [...scopes, ...renamed.map((scope) => ({ ...scope, name: newName }))] }
}

/** Returns the message for `renamed`. */
export function describeOldName({ oldName, newName }: OldName): string {
  return `${oldName} is now called ${newName}, and the old name only serves pulls: use ${newName}`
}
