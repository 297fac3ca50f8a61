/**
 * Requests for a repository by a former name of its owner. Pulls are served from the new name without a redirect, because token
 * scopes contain the requested name. Callers who could push get the new name in the refusal; all others get the same answer as
 * for a missing repository.
 */
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import type { Principal } from '../../identity/principal.ts'

export interface NameChange {
  readonly formerName: RepositoryName
  readonly newName: RepositoryName
}

interface Judged {
  readonly allowed: boolean
}

interface Question<V extends Judged> {
  readonly principal: Principal
  /** Whether the former name serves the request: pulls of clients, and explanations. */
  readonly isServed: boolean
  /** Decides on one name: `Policy.decide` or `Policy.explain`, which agree. */
  readonly judge: (principal: Principal, repository: RepositoryName) => MaybePromise<V>
}

/**
 * Decides on a repository requested by a former name, for requests and explanations alike. `renamed`: the action is allowed, but
 * only by the new name, because a former name serves only pulls. A pull reads the repository of the new name, so a verdict on
 * the former name never allows it; it only words refusals.
 */
export function judgeFormerName<V extends Judged>(
  question: Question<V> & { readonly isServed: true },
  names: NameChange,
): Promise<V>
export function judgeFormerName<V extends Judged>(
  question: Question<V>,
  names: NameChange,
): Promise<V | 'renamed'>
export async function judgeFormerName<V extends Judged>(
  { principal, isServed, judge }: Question<V>,
  names: NameChange,
): Promise<V | 'renamed'> {
  const verdict = await judge(underNewName(principal, names), names.newName)
  if (verdict.allowed) return isServed ? verdict : 'renamed'
  const refusal = await judge(principal, names.formerName)
  if (!refusal.allowed) return refusal
  // Allowed by the former name alone, for example for an administrator's access token that is limited to it.
  return isServed ? verdict : 'renamed'
}

/** Returns the principal with the scopes of the former name applied to the new name, too. */
export function underNewName(principal: Principal, { formerName, newName }: NameChange): Principal {
  const { scopes } = principal
  if (scopes === undefined) return principal
  const renamed = scopes.filter(({ type, name }) => type === 'repository' && name === formerName)
  return { ...principal, scopes: [...scopes, ...renamed.map((scope) => ({ ...scope, name: newName }))] }
}

/** Returns the message for `renamed`. */
export function describeNameChange({ formerName, newName }: NameChange): string {
  return `${formerName} is now called ${newName}, and the former name only serves pulls: use ${newName}`
}
