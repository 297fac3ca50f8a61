/**
 * The audit along one of its indexes, in the order of `(at, id)`, in slices of a bounded number of rows: on SQLite a
 * query holds up everybody, and of what one condition finds the others may leave next to nothing.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Expression, Selectable, SqlBool } from 'kysely'
import type { AuditAction, AuditOutcome } from './audit-actions.ts'
import type { Reader } from './handles.ts'
import type { Schema } from './schema.ts'
import { databaseOf } from './sql/database.ts'
import type { Dialect } from './sql/database.ts'

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

export interface AuditKey {
  readonly at: number
  readonly id: number
}

export type AuditRow = Selectable<Schema['audit_event']>

export interface AuditWalk {
  readonly filter: AuditFilter
  /** Exclusive. */
  readonly start?: AuditKey | undefined
  readonly limit: number
  readonly order: 'asc' | 'desc'
}

/** Some milliseconds of one core. */
const rowsPerSlice = 5_000

export async function walkAudit(db: Reader, walk: AuditWalk): Promise<AuditRow[]> {
  const { dialect, kysely } = databaseOf(db)
  const { filter, limit, order } = walk
  const { driving, others } = splitConditions(filter, dialect)
  const found: AuditRow[] = []
  for (let start = walk.start; ;) {
    const slice = kysely
      .selectFrom('audit_event')
      .where(sql<SqlBool>`${sql.join([...driving, ...after(start, order)], sql` and `)}`)
      .orderBy('at', order)
      .orderBy('id', order)
    // PostgreSQL knows how common each value is, and works for others meanwhile.
    const isSliced = dialect === 'sqlite' && others.length > 0
    const end = isSliced
      ? await slice.select(['at', 'id']).offset(rowsPerSlice).limit(1).executeTakeFirst()
      : undefined
    const within = [...others, ...upTo(end, order)]
    const rows = slice.selectAll().limit(limit - found.length)
    found.push(
      ...(await (
        within.length === 0 ? rows : rows.where(sql<SqlBool>`${sql.join(within, sql` and `)}`)
      ).execute()),
    )
    if (end === undefined || found.length === limit) return found
    start = end
    await nextTurn()
  }
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
  /** Found by one index, those on the time too. */
  readonly driving: readonly Expression<SqlBool>[]
  /** Looked at row by row. */
  readonly others: readonly Expression<SqlBool>[]
}

function splitConditions(filter: AuditFilter, dialect: Dialect): Conditions {
  const equalities = listEqualities(filter)
  // Nearly all are `done`: that has no index.
  const isWithout = equalities[0]?.value === 'done' && equalities[0].column === 'outcome'
  const first = isWithout ? undefined : equalities.shift()
  const driving = first === undefined ? [] : [sql<SqlBool>`${sql.ref(first.column)} = ${first.value}`]
  // As the partial index says it.
  if (first?.column === 'outcome') driving.push(sql<SqlBool>`outcome <> 'done'`)
  if (filter.since !== undefined) driving.push(sql<SqlBool>`at >= ${filter.since}`)
  if (filter.until !== undefined) driving.push(sql<SqlBool>`at < ${filter.until}`)
  const others = equalities.map((equality) => rowByRow(dialect, equality))
  return {
    driving: driving.length === 0 ? [sql<SqlBool>`1 = 1`] : driving,
    others: [...belowTarget(filter.target ?? ''), ...others],
  }
}

interface Equality {
  readonly column: 'target' | 'target_owner' | 'outcome' | 'actor_name' | 'action'
  readonly value: string
}

/** What is rarest as a rule comes first: a target, a refusal, who did it, the kind. */
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

/** Keeps SQLite, which does not know which value is rare, from another index than the one that was chosen. */
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
  // `0` follows `/` in byte order. The sum of nothing keeps the index of the owner.
  const end = `${target.slice(0, -1)}0`
  return [sql<SqlBool>`(target || '') >= ${target}`, sql<SqlBool>`(target || '') < ${end}`]
}
