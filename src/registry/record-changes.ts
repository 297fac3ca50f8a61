/** Records in the audit, within a transaction, the changes that it made in a repository: the history of its content. */
import { actorOf } from '../identity/actor.ts'
import type { AuditEntry, AuditTrail } from '../metadata/audit/audit-trail.ts'
import type { Transaction } from '../metadata/handles.ts'
import type { Digest } from '../oci/digest.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import type { TagName } from '../oci/tag-name.ts'
import type { Caller } from './caller.ts'

export interface Change {
  readonly kind:
    | 'manifest.push'
    | 'manifest.delete'
    | 'tag.create'
    | 'tag.move'
    | 'tag.delete'
    | 'blob.push'
    | 'blob.mount'
    | 'blob.delete'
  readonly tag?: TagName | undefined
  readonly before?: Digest | undefined
  readonly after?: Digest | undefined
}

export interface Changes {
  readonly repository: RepositoryName
  readonly caller: Caller
  readonly changes: readonly Change[]
}

export async function recordChanges(
  { audit }: { readonly audit: AuditTrail },
  tx: Transaction,
  { repository, caller, changes }: Changes,
): Promise<void> {
  const entries = changes.map((change) => describeChange(repository, change))
  await audit.change(tx, actorOf(caller.principal, caller.origin), ...entries)
}

/** The digest is the current one, or the former one if the content was deleted. */
function describeChange(name: RepositoryName, { kind, tag, before, after }: Change): AuditEntry {
  const detail = after === undefined ? { tag, digest: before } : { tag, digest: after, before }
  return { action: kind, outcome: 'done', target: { kind: 'repository', name }, detail }
}
