/**
 * Repositories asked for by a name that their owner gave up. Pulls are answered as under the new name, without a
 * redirect: the scopes of tokens name what was asked for. Whoever could push is told the new name; everyone else hears
 * what they would of a repository that is not there.
 */
import type { Action, Decision, Policy } from '../auth/policy.ts'
import type { Principal } from '../auth/principal.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import { DeniedError } from './errors.ts'

export interface OldName {
  readonly oldName: RepositoryName
  readonly newName: RepositoryName
}

/** Throws `DeniedError`, which names the new name, for all but pulls that are allowed there. */
export async function decideOldName(
  principal: Principal,
  action: Action,
  { oldName, newName, policy }: OldName & { readonly policy: Policy },
): Promise<Decision> {
  const decision = await policy.decide(underNewName(principal, { oldName, newName }), action, newName)
  // Where anyone may create, a repository that is not there is allowed, too.
  const answer = decision.allowed ? decision : await policy.decide(principal, action, oldName)
  if (!answer.allowed || action === 'pull') return answer
  throw new DeniedError(
    `${oldName} is called ${newName} now and can only be pulled by its old name: use ${newName}`,
  )
}

/** What a bearer token says of the old name it says of the new one. */
export function underNewName(principal: Principal, { oldName, newName }: OldName): Principal {
  const { scopes } = principal
  if (scopes === undefined) return principal
  const renamed = scopes.filter(({ type, name }) => type === 'repository' && name === oldName)
  return { ...principal, scopes: [...scopes, ...renamed.map((scope) => ({ ...scope, name: newName }))] }
}
