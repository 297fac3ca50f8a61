/**
 * Reads the audit along one of its indexes, in the order of `(at, id)`, in slices bounded by rows and bytes. One turn of
 * the event loop reads one slice, however many walks are active: on SQLite a query blocks all requests, and the other
 * conditions may leave almost none of the rows that one condition finds. A walk that has read its share of rows ends
 * with the key that the next one starts after.
 */
import { sql } from 'kysely'
import type { Expression, Selectable, SqlBool } from 'kysely'
import { Turns } from '../../lib/turns/turns.ts'
import type { AuditAction, AuditOutcome } from './audit-actions.ts'
import type { Reader } from '../handles.ts'
import type { Schema } from '../schema.ts'
import { databaseOf } from '../sql/database.ts'
import type { Dialect } from '../sql/database.ts'

export interface AuditFilter {
  /** The name of the account, or of the system user who acted as operator. */
  readonly actor?: string | undefined
  readonly action?: AuditAction | undefined
  readonly outcome?: AuditOutcome | undefined
  /** A name, or a prefix that ends in `/`: `acme/` matches everything of the owner `acme`. */
  readonly target?: string | undefined
  /** Milliseconds since the epoch, inclusive. */
  readonly since?: number | undefined
  /** The end, exclusive. */
  readonly until?: number | undefined
  /** Whether to leave out events whose target is the account of a user. */
  readonly withoutAccounts?: boolean | undefined
  /** The last id, inclusive. Combine it with `until`: no index finds the rows after it. */
  readonly lastId?: number | undefined
}

export interface AuditKey {
  readonly at: number
  readonly id: number
}

export type AuditRow = Selectable<Schema['audit_event']>

export interface AuditWalk {
  readonly filter: AuditFilter
  /** The end, exclusive. */
  readonly start?: AuditKey | undefined
  readonly limit: number
  readonly order: 'asc' | 'desc'
  /** Ends the walk between two slices; the walk throws its reason. */
  readonly signal?: AbortSignal | undefined
}

export interface AuditPage {
  readonly rows: readonly AuditRow[]
  /** The key to continue after; absent if the walk has reached the end. Fewer rows than `limit` do not mean the end. */
  readonly next: AuditKey | undefined
}

/** A slice of this many rows takes a few milliseconds. */
const rowsPerSlice = 500
/** The most slices for one page: a few tenths of a second while other work runs. */
const slicesPerPage = 100
/** The most bytes of details, which may be long. */
const bytesPerPage = 1024 * 1024

interface Slices {
  readonly db: Reader
  readonly walk: AuditWalk
  readonly conditions: Conditions
}

/**
 * Returns up to `limit` rows, up to a mebibyte of details (at least one row), from up to 50,000 rows that one index
 * finds. Throws the reason of `signal`.
 */
export async function walkAudit(db: Reader, walk: AuditWalk): Promise<AuditPage> {
  const slices = { db, walk, conditions: splitConditions(walk.filter, databaseOf(db).dialect) }
  const found: AuditRow[] = []
  let bytes = 0
  let start = walk.start
  const turns = new Turns({ signal: walk.signal })
  walk.signal?.throwIfAborted()
  for (let count = 0; count < slicesPerPage; count += 1) {
    if (count > 0) await turns.rest()
    const end = await findSliceEnd(slices, start)
    const limit = Math.min(walk.limit - found.length, rowsPerSlice)
    const keys = await findKeys(slices, { start, end, limit })
    const fitting = countFitting(keys, bytesPerPage - bytes, found.length === 0)
    if (fitting > 0) found.push(...(await readRows(slices, { start, end: keys[fitting - 1] })))
    bytes += keys.slice(0, fitting).reduce((sum, key) => sum + key.bytes, 0)
    if (fitting < keys.length || found.length >= walk.limit) {
      // Others may have inserted or deleted rows between the two queries.
      const rows = found.slice(0, walk.limit)
      return { rows, next: rows.at(-1) ?? keys[fitting - 1] }
    }
    if (end === undefined && keys.length < limit) return { rows: found, next: undefined }
    start = end ?? keys.at(-1)
  }
  return { rows: found, next: start }
}

interface Range {
  /** The end, exclusive. */
  readonly start: AuditKey | undefined
  /** Inclusive. */
  readonly end: AuditKey | undefined
}

/**
 * Finds the last row of a slice that another slice follows. PostgreSQL needs no slices: it knows how common each value
 * is, and serves others at the same time.
 */
async function findSliceEnd(
  { db, walk, conditions }: Slices,
  start: AuditKey | undefined,
): Promise<AuditKey | undefined> {
  const { dialect, kysely } = databaseOf(db)
  if (dialect !== 'sqlite' || conditions.others.length === 0) return undefined
  return kysely
    .selectFrom('audit_event')
    .select(['at', 'id'])
    .where(allOf([...conditions.driving, ...after(start, walk.order)]))
    .orderBy('at', walk.order)
    .orderBy('id', walk.order)
    .offset(rowsPerSlice - 1)
    .limit(1)
    .executeTakeFirst()
}

/** Finds the keys of the matching rows of a slice; their details are measured but not read. */
async function findKeys(
  slices: Slices,
  { limit, ...range }: Range & { readonly limit: number },
): Promise<(AuditKey & { readonly bytes: number })[]> {
  return selectMatching(slices, range)
    .select(['at', 'id', sql<number>`coalesce(octet_length(detail), 0)`.as('bytes')])
    .limit(limit)
    .execute()
}

async function readRows(slices: Slices, range: Range): Promise<AuditRow[]> {
  return selectMatching(slices, range).selectAll().execute()
}

function selectMatching({ db, walk, conditions }: Slices, { start, end }: Range) {
  const { order } = walk
  return databaseOf(db)
    .kysely.selectFrom('audit_event')
    .where(allOf([...conditions.driving, ...after(start, order), ...conditions.others, ...upTo(end, order)]))
    .orderBy('at', order)
    .orderBy('id', order)
}

/** Returns how many rows fit into the bytes; a page gets at least one. */
function countFitting(keys: readonly { readonly bytes: number }[], bytes: number, isFirst: boolean): number {
  let sum = 0
  const index = keys.findIndex((key) => (sum += key.bytes) > bytes)
  if (index === -1) return keys.length
  return index === 0 && isFirst ? 1 : index
}

function allOf(conditions: readonly Expression<SqlBool>[]): Expression<SqlBool> {
  return conditions.length === 0 ? sql<SqlBool>`1 = 1` : sql<SqlBool>`${sql.join(conditions, sql` and `)}`
}

function after(key: AuditKey | undefined, order: AuditWalk['order']): Expression<SqlBool>[] {
  if (key === undefined) return []
  return [order === 'asc' ? sql`(at, id) > (${key.at}, ${key.id})` : sql`(at, id) < (${key.at}, ${key.id})`]
}

function upTo(key: AuditKey | undefined, order: AuditWalk['order']): Expression<SqlBool>[] {
  if (key === undefined) return []
  return [order === 'asc' ? sql`(at, id) <= (${key.at}, ${key.id})` : sql`(at, id) >= (${key.at}, ${key.id})`]
}

interface Conditions {
  /** The conditions that one index serves, including those on the time. */
  readonly driving: readonly Expression<SqlBool>[]
  /** The conditions checked row by row. */
  readonly others: readonly Expression<SqlBool>[]
}

function splitConditions(filter: AuditFilter, dialect: Dialect): Conditions {
  const equalities = listEqualities(filter)
  // Nearly all rows are `done`, so it has no index.
  const isWithout = equalities[0]?.value === 'done' && equalities[0].column === 'outcome'
  const first = isWithout ? undefined : equalities.shift()
  const driving = first === undefined ? [] : [sql<SqlBool>`${sql.ref(first.column)} = ${first.value}`]
  // Repeats the condition of the partial index.
  if (first?.column === 'outcome') driving.push(sql<SqlBool>`outcome <> 'done'`)
  if (filter.since !== undefined) driving.push(sql<SqlBool>`at >= ${filter.since}`)
  if (filter.until !== undefined) driving.push(sql<SqlBool>`at < ${filter.until}`)
  if (filter.lastId !== undefined) driving.push(sql<SqlBool>`id <= ${filter.lastId}`)
  const others = equalities.map((equality) => rowByRow(dialect, equality))
  if (filter.withoutAccounts === true) others.push(sql<SqlBool>`coalesce(target_kind, '') <> 'user'`)
  return {
    driving,
    others: [...belowTarget(filter.target ?? ''), ...others],
  }
}

interface Equality {
  readonly column: 'target' | 'target_owner' | 'outcome' | 'actor_name' | 'action'
  readonly value: string
}

/** The order of rarity, usually: the target, a refusal, the actor, the action. */
function listEqualities({ target, outcome, actor, action }: AuditFilter): Equality[] {
  const all: (Equality | undefined)[] = [
    target === undefined ? undefined : targetEquality(target),
    outcome === undefined || outcome === 'done' ? undefined : { column: 'outcome', value: outcome },
    actor === undefined ? undefined : { column: 'actor_name', value: actor },
    action === undefined ? undefined : { column: 'action', value: action },
    outcome === 'done' ? { column: 'outcome', value: outcome } : undefined,
  ]
  return all.filter((equality) => equality !== undefined)
}

/** Keeps SQLite from using another index than the chosen one: SQLite does not know which value is rare. */
function rowByRow(dialect: Dialect, { column, value }: Equality): Expression<SqlBool> {
  if (dialect === 'sqlite') return sql<SqlBool>`+${sql.ref(column)} = ${value}`
  return sql<SqlBool>`${sql.ref(column)} = ${value}`
}

function targetEquality(target: string): Equality {
  if (!target.endsWith('/')) return { column: 'target', value: target }
  return { column: 'target_owner', value: target.split('/', 1)[0] ?? '' }
}

function belowTarget(target: string): Expression<SqlBool>[] {
  if (!target.endsWith('/') || target.indexOf('/') === target.length - 1) return []
  // `0` follows `/` in byte order. The concatenation with '' keeps SQLite on the index of the owner.
  const end = `${target.slice(0, -1)}0`
  return [sql<SqlBool>`(target || '') >= ${target}`, sql<SqlBool>`(target || '') < ${end}`]
}
