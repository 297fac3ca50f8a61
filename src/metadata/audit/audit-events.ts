/** The audit events. Rows are added, read, and deleted by age or number; no single row is ever changed or removed. */
import { sql } from 'kysely'
import type { SqlBool } from 'kysely'
import type { AuditAction, AuditOutcome } from './audit-actions.ts'
import type { AuditActor, AuditEntry, AuditTargetKind } from './audit-trail.ts'
import { walkAudit } from './audit-walk.ts'
import type { AuditFilter, AuditKey, AuditPage, AuditRow } from './audit-walk.ts'
import type { Reader, Transaction } from '../handles.ts'
import { compileInsert } from '../sql/compile-insert.ts'
import { kyselyOf } from '../sql/database.ts'
import { deleteSome } from '../sql/delete-rows.ts'
import { storableOrNull, storableText } from '../sql/storable-text.ts'

export type { AuditFilter }

export interface NewAuditEvent extends AuditEntry {
  readonly at: number
  readonly actor: AuditActor
}

export interface AuditEvent extends NewAuditEvent {
  readonly id: number
}

const insertRows = compileInsert('audit_event', [
  'at',
  'action',
  'outcome',
  'actor',
  'actor_name',
  'credential',
  'target_kind',
  'target',
  'target_owner',
  'address',
  'client',
  'request_id',
  'detail',
])

export async function insertAuditEvents(tx: Transaction, events: readonly NewAuditEvent[]): Promise<void> {
  const rows = events.map(({ at, action, outcome, actor, target, detail }) => ({
    at,
    action,
    outcome,
    actor: actor.id,
    actor_name: storableText(actor.name),
    credential: actor.credential ?? null,
    target_kind: target?.kind ?? null,
    target: storableOrNull(target?.name),
    target_owner: storableOrNull(target && ownerOf(target)),
    address: actor.address ?? null,
    client: storableOrNull(actor.client),
    request_id: actor.requestId ?? null,
    detail: detail === undefined ? null : JSON.stringify(detail),
  }))
  await insertRows(tx, rows)
}

/** Returns the owner whose audit the event belongs to; events of roles and settings have no owner. */
function ownerOf({ kind, name }: NonNullable<AuditEntry['target']>): string | undefined {
  if (kind === 'role' || kind === 'settings') return undefined
  return name.split(/[/+]/, 1)[0]
}

export interface AuditEvents {
  readonly events: readonly AuditEvent[]
  /** The key that the next page starts after; absent at the end. A page before the end may be short or empty. */
  readonly next: AuditKey | undefined
}

interface Page {
  readonly filter: AuditFilter
  readonly limit: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Returns events newest first, before the event with the id `before`; none if that event was deleted. A page ends after
 * a bounded number of rows (`audit-walk.ts`). Throws the reason of `signal`.
 */
export async function searchAuditEvents(
  db: Reader,
  { before, ...page }: Page & { readonly before?: number | undefined },
): Promise<AuditEvents> {
  const start = before === undefined ? undefined : await findKey(db, before)
  if (before !== undefined && start === undefined) return { events: [], next: undefined }
  return readPage(await walkAudit(db, { ...page, start, order: 'desc' }))
}

/** Like `searchAuditEvents`, but oldest first, after `after`: for exports, which must lose nothing while rows are added. */
export async function listAuditEvents(
  db: Reader,
  { after: start, ...page }: Page & { readonly after?: AuditKey | undefined },
): Promise<AuditEvents> {
  return readPage(await walkAudit(db, { ...page, start, order: 'asc' }))
}

/** Returns the greatest id and the latest time of all events, possibly from different events; `undefined` if there are none. */
export async function findLastAuditKey(db: Reader): Promise<AuditKey | undefined> {
  const row = await kyselyOf(db)
    .selectNoFrom((eb) => [
      eb
        .selectFrom('audit_event')
        .select(({ fn }) => fn.max('id').as('id'))
        .as('id'),
      eb
        .selectFrom('audit_event')
        .select(({ fn }) => fn.max('at').as('at'))
        .as('at'),
    ])
    .executeTakeFirst()
  if (row?.id === undefined || row.id === null || row.at === null) return undefined
  return { at: row.at, id: row.id }
}

function readPage({ rows, next }: AuditPage): AuditEvents {
  return { events: rows.map(readRow), next }
}

async function findKey(db: Reader, id: number): Promise<AuditKey | undefined> {
  return kyselyOf(db).selectFrom('audit_event').select(['at', 'id']).where('id', '=', id).executeTakeFirst()
}

function readRow(row: AuditRow): AuditEvent {
  const { target_kind: kind, target: name, detail } = row
  return {
    id: row.id,
    at: row.at,
    action: row.action as AuditAction,
    outcome: row.outcome as AuditOutcome,
    actor: {
      id: row.actor,
      name: row.actor_name,
      credential: row.credential ?? undefined,
      address: row.address ?? undefined,
      client: row.client ?? undefined,
      requestId: row.request_id ?? undefined,
    },
    target: kind === null || name === null ? undefined : { kind: kind as AuditTargetKind, name },
    detail: detail === null ? undefined : (JSON.parse(detail) as AuditEntry['detail']),
  }
}

/** Deletes the oldest events from before `before`, at most `limit`, and returns their number. */
export async function forgetAuditEventsBefore(
  tx: Transaction,
  { before, limit }: { readonly before: number; readonly limit: number },
): Promise<number> {
  const where = sql<SqlBool>`at < ${before}`
  return deleteSome(tx, 'audit_event', { key: ['id'], where, orderBy: 'at', limit })
}

/**
 * Deletes events older than the newest `keep`, at most `limit`, and returns their number. The ids show which these are,
 * so that no rows have to be counted.
 */
export async function forgetAuditEventsBeyond(
  tx: Transaction,
  { keep, limit }: { readonly keep: number; readonly limit: number },
): Promise<number> {
  const row = await kyselyOf(tx)
    .selectFrom('audit_event')
    .select((eb) => eb.fn.max('id').as('last'))
    .executeTakeFirst()
  const where = sql<SqlBool>`id <= ${(row?.last ?? 0) - keep}`
  return deleteSome(tx, 'audit_event', { key: ['id'], where, orderBy: 'id', limit })
}
