/** Who did what to what: rows are added, read, and forgotten by age or number; nothing changes or removes a single one. */
import { sql } from 'kysely'
import type { ExpressionBuilder, SqlBool, Expression } from 'kysely'
import type { AuditAction, AuditOutcome } from './audit-actions.ts'
import type { AuditActor, AuditEntry, AuditTargetKind } from './audit-trail.ts'
import type { Reader, Transaction } from './handles.ts'
import type { Schema } from './schema.ts'
import { compileInsert } from './sql/compile-insert.ts'
import { kyselyOf } from './sql/database.ts'
import { storableOrNull, storableText } from './sql/storable-text.ts'

export interface NewAuditEvent extends AuditEntry {
  readonly at: number
  readonly actor: AuditActor
}

export interface AuditEvent extends NewAuditEvent {
  readonly id: number
}

export interface AuditFilter {
  /** The name of an account, or of the system's user who acted as operator. */
  readonly actor?: string | undefined
  readonly action?: AuditAction | undefined
  readonly outcome?: AuditOutcome | undefined
  /** A name; what ends in `/` stands for all below it: `acme/` for all of the owner `acme`. */
  readonly target?: string | undefined
  /** Milliseconds since the epoch, inclusive. */
  readonly since?: number | undefined
  /** Exclusive. */
  readonly until?: number | undefined
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

/** Whose audit it belongs to; roles and settings are nobody's. */
function ownerOf({ kind, name }: NonNullable<AuditEntry['target']>): string | undefined {
  if (kind === 'role' || kind === 'settings') return undefined
  return name.split(/[/+]/, 1)[0]
}

/** Newest first, before the event with the id `before`; nothing once that one is forgotten. */
export async function searchAuditEvents(
  db: Reader,
  { filter, before, limit }: { filter: AuditFilter; before?: number | undefined; limit: number },
): Promise<AuditEvent[]> {
  const kysely = kyselyOf(db)
  let query = kysely.selectFrom('audit_event').selectAll().where(matching(filter))
  if (before !== undefined) {
    const last = await findTime(db, before)
    if (last === undefined) return []
    query = query.where(sql<SqlBool>`(at, id) < (${last}, ${before})`)
  }
  const rows = await query.orderBy('at', 'desc').orderBy('id', 'desc').limit(limit).execute()
  return rows.map(readRow)
}

/** Oldest first, after `after`: for exports, which lose nothing while rows come in. */
export async function listAuditEvents(
  db: Reader,
  page: {
    readonly filter: AuditFilter
    readonly after?: Pick<AuditEvent, 'at' | 'id'> | undefined
    readonly limit: number
  },
): Promise<AuditEvent[]> {
  let query = kyselyOf(db).selectFrom('audit_event').selectAll().where(matching(page.filter))
  const { after } = page
  if (after !== undefined) query = query.where(sql<SqlBool>`(at, id) > (${after.at}, ${after.id})`)
  const rows = await query.orderBy('at').orderBy('id').limit(page.limit).execute()
  return rows.map(readRow)
}

async function findTime(db: Reader, id: number): Promise<number | undefined> {
  const row = await kyselyOf(db)
    .selectFrom('audit_event')
    .select('at')
    .where('id', '=', id)
    .executeTakeFirst()
  return row?.at
}

function matching(filter: AuditFilter) {
  const { actor, action, outcome, target, since, until } = filter
  return (eb: ExpressionBuilder<Schema, 'audit_event'>): Expression<SqlBool> => {
    const conditions: Expression<SqlBool>[] = []
    if (actor !== undefined) conditions.push(eb('actor_name', '=', actor))
    if (action !== undefined) conditions.push(eb('action', '=', action))
    if (outcome !== undefined) conditions.push(eb('outcome', '=', outcome))
    // As the partial index says it: only the rare ones are in there.
    if (outcome !== undefined && outcome !== 'done') conditions.push(eb('outcome', '<>', sql.lit('done')))
    if (since !== undefined) conditions.push(eb('at', '>=', since))
    if (until !== undefined) conditions.push(eb('at', '<', until))
    if (target !== undefined) conditions.push(...targetConditions(eb, target))
    return eb.and(conditions)
  }
}

function targetConditions(
  eb: ExpressionBuilder<Schema, 'audit_event'>,
  target: string,
): Expression<SqlBool>[] {
  if (!target.endsWith('/')) return [eb('target', '=', target)]
  const [owner = ''] = target.split('/', 1)
  const ofOwner = eb('target_owner', '=', owner)
  if (target === `${owner}/`) return [ofOwner]
  // `0` follows `/` in byte order.
  const end = `${target.slice(0, -1)}0`
  return [ofOwner, eb('target', '>=', target), eb('target', '<', end)]
}

interface AuditRow {
  readonly id: number
  readonly at: number
  readonly action: string
  readonly outcome: string
  readonly actor: string
  readonly actor_name: string
  readonly credential: string | null
  readonly target_kind: string | null
  readonly target: string | null
  readonly address: string | null
  readonly client: string | null
  readonly request_id: string | null
  readonly detail: string | null
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

/** Deletes the oldest of those before `before`; returns how many, `limit` at most. */
export async function forgetAuditEventsBefore(
  tx: Transaction,
  { before, limit }: { readonly before: number; readonly limit: number },
): Promise<number> {
  const result = await kyselyOf(tx)
    .deleteFrom('audit_event')
    .where('id', 'in', (eb) =>
      eb.selectFrom('audit_event').select('id').where('at', '<', before).orderBy('at').limit(limit),
    )
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}

/** Keeps the `keep` that came last, by their ids, which no count has to be asked for; returns how many went. */
export async function forgetAuditEventsBeyond(
  tx: Transaction,
  { keep, limit }: { readonly keep: number; readonly limit: number },
): Promise<number> {
  const kysely = kyselyOf(tx)
  const row = await kysely
    .selectFrom('audit_event')
    .select((eb) => eb.fn.max('id').as('last'))
    .executeTakeFirst()
  const last = row?.last ?? 0
  const result = await kysely
    .deleteFrom('audit_event')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('audit_event')
        .select('id')
        .where('id', '<=', last - keep)
        .orderBy('id')
        .limit(limit),
    )
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}
