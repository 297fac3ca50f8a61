/** What happened to a repository's content, one row each, written in the transaction that did it. */
import type { Digest } from '../oci/digest.ts'
import type { TagName } from '../oci/tag-name.ts'
import type { Reader, Transaction } from './handles.ts'
import { compileInsert } from './sql/compile-insert.ts'
import { kyselyOf } from './sql/database.ts'

export type EventKind =
  | 'manifest.push'
  | 'manifest.delete'
  | 'tag.create'
  | 'tag.move'
  | 'tag.delete'
  | 'blob.push'
  | 'blob.mount'
  | 'blob.delete'

export interface NewEvent {
  readonly kind: EventKind
  readonly repositoryId: number
  /** The principal's id. */
  readonly actor: string
  readonly credential: string | undefined
  readonly tag: TagName | undefined
  readonly before: Digest | undefined
  readonly after: Digest | undefined
  readonly at: number
}

export interface EventRow extends NewEvent {
  readonly id: number
}

const insertRows = compileInsert('event', [
  'kind',
  'repository_id',
  'actor',
  'credential',
  'tag',
  'digest_before',
  'digest_after',
  'at',
])

export async function insertEvents(tx: Transaction, events: readonly NewEvent[]): Promise<void> {
  const rows = events.map((event) => ({
    kind: event.kind,
    repository_id: event.repositoryId,
    actor: event.actor,
    credential: event.credential ?? null,
    tag: event.tag ?? null,
    digest_before: event.before ?? null,
    digest_after: event.after ?? null,
    at: event.at,
  }))
  await insertRows(tx, rows)
}

/** Oldest first, after the id `after` (exclusive). */
export async function listEvents(
  db: Reader,
  page: { readonly repositoryId: number; readonly after?: number | undefined; readonly limit: number },
): Promise<EventRow[]> {
  const rows = await kyselyOf(db)
    .selectFrom('event')
    .selectAll()
    .where('repository_id', '=', page.repositoryId)
    .where('id', '>', page.after ?? 0)
    .orderBy('id')
    .limit(page.limit)
    .execute()
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind as EventKind,
    repositoryId: row.repository_id,
    actor: row.actor,
    credential: row.credential ?? undefined,
    tag: (row.tag ?? undefined) as TagName | undefined,
    before: (row.digest_before ?? undefined) as Digest | undefined,
    after: (row.digest_after ?? undefined) as Digest | undefined,
    at: row.at,
  }))
}
