/**
 * Checks the two rights of a push: creating and changing. Only the transaction of the push knows which of them it needs, so they
 * are checked there: nothing can change between the check and the write.
 */
import type { Transaction } from '../metadata/handles.ts'
import { ensureRepository, findRepository, type Repository } from '../metadata/repositories/repositories.ts'
import type { Digest } from '../oci/digest.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import type { TagName } from '../oci/tag-name.ts'
import type { Caller, RegistryPolicy } from './caller.ts'
import { PushDeniedError } from './errors.ts'

/** Returns the repository of a push, created if it is missing. Throws `PushDeniedError`. */
export async function openRepository(
  deps: { readonly policy: RegistryPolicy },
  tx: Transaction,
  push: { readonly name: RepositoryName; readonly caller: Caller; readonly now: number },
): Promise<Repository> {
  const { name, caller, now } = push
  if (!caller.push.create) {
    const existing = await findRepository(tx, name)
    if (existing === undefined) throw deny(caller, { repository: name, right: 'push:create' })
    return existing
  }
  const visibility = deps.policy.newRepositoryVisibility(caller.principal, name)
  return ensureRepository(tx, { name, visibility, now })
}

/** Checks the right to move or create a tag. Throws `PushDeniedError`. */
export function checkTagRight(
  caller: Caller,
  moved: { readonly repository: RepositoryName; readonly tag: TagName; readonly before: Digest | undefined },
): void {
  const { repository, tag, before } = moved
  const { create, update } = caller.push
  if (before === undefined ? create : update) return
  throw deny(caller, { repository, tag, right: before === undefined ? 'push:create' : 'push:update' })
}

function deny({ principal }: Caller, detail: PushDeniedError['detail']): PushDeniedError {
  const held = principal.kind === 'anonymous' ? undefined : principal.limits?.permissions
  const lackedBy = held === undefined || held.has(detail.right) ? undefined : 'token'
  return new PushDeniedError(detail, { lackedBy })
}
