/** Conditional changes of a tag: RFC 9110 If-Match and If-None-Match, with the manifest's digest as entity tag. */
import type { Transaction } from '../../metadata/handles.ts'
import { lockTag } from '../../metadata/content/tags.ts'
import type { Digest } from '../../oci/digest.ts'
import type { TagName } from '../../oci/tag-name.ts'
import { PreconditionFailedError } from '../errors.ts'

export type TagCondition =
  | { readonly ifMatch: readonly string[] | '*' }
  | { readonly ifNoneMatch: '*' | readonly string[] }

/** Reads the tag under a lock, so that one of two writers with the same condition is refused. */
export async function checkTagCondition(
  tx: Transaction,
  tag: { repositoryId: number; name: TagName },
  condition: TagCondition,
): Promise<void> {
  const current = (await lockTag(tx, tag))?.digest
  if (!holds(condition, current)) throw new PreconditionFailedError(tag.name, current)
}

function holds(condition: TagCondition, current: Digest | undefined): boolean {
  if ('ifMatch' in condition) return matches(condition.ifMatch, current)
  return !matches(condition.ifNoneMatch, current)
}

function matches(wanted: readonly string[] | '*', current: Digest | undefined): boolean {
  if (current === undefined) return false
  return wanted === '*' || wanted.includes(current)
}
