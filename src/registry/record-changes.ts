/** Tells what a transaction did to a repository, in that transaction: to its events, and to the audit. */
import { actorOf } from '../auth/actor.ts'
import { principalId } from '../auth/principal.ts'
import type { AuditEntry, AuditTrail } from '../metadata/audit-trail.ts'
import { insertEvents } from '../metadata/events.ts'
import type { NewEvent } from '../metadata/events.ts'
import type { Transaction } from '../metadata/handles.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import type { Caller } from './caller.ts'

export interface Change extends Pick<NewEvent, 'kind'> {
  readonly tag?: NewEvent['tag']
  readonly before?: NewEvent['before']
  readonly after?: NewEvent['after']
}

export interface Changes {
  readonly repository: { readonly id: number; readonly name: RepositoryName }
  readonly caller: Caller
  readonly now: number
  readonly changes: readonly Change[]
}

export async function recordChanges(
  { audit }: { readonly audit: AuditTrail },
  tx: Transaction,
  { repository, caller, now, changes }: Changes,
): Promise<void> {
  const { principal } = caller
  const event = {
    repositoryId: repository.id,
    actor: principalId(principal),
    credential: principal.kind === 'anonymous' ? undefined : principal.credential,
    at: now,
  }
  await insertEvents(
    tx,
    changes.map(({ kind, tag, before, after }) => ({ ...event, kind, tag, before, after })),
  )
  const entries = changes.map((change) => describeChange(repository.name, change))
  await audit.change(tx, actorOf(principal, caller), ...entries)
}

/** The digest is what there is now, or what there was where nothing is left. */
function describeChange(name: RepositoryName, { kind, tag, before, after }: Change): AuditEntry {
  const detail = after === undefined ? { tag, digest: before } : { tag, digest: after, before }
  return { action: kind, outcome: 'done', target: { kind: 'repository', name }, detail }
}
