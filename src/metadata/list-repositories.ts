/**
 * The names of repositories that a caller may see, as keyset pages. Each way to see some is a walk along an index: what
 * is public or internal, what the caller owns, and the ranges of names that its grants reach. Nothing else is read, but
 * names that lie in such a range and match no pattern; a page is full as long as there are names.
 */
import type { SelectQueryBuilder } from 'kysely'
import type { RepositoryName } from '../oci/repository-name.ts'
import type { Reader } from './handles.ts'
import type { Schema } from './schema.ts'
import { chunks } from './sql/chunks.ts'
import { databaseOf } from './sql/database.ts'
import { allNames, visibleArms } from './visible-repositories.ts'
import type { NameRange, NameSet, VisibleArm, VisibleRepositories } from './visible-repositories.ts'

/** Its column has a name that neither of the joined tables has. */
type NamesQuery = SelectQueryBuilder<Schema, never, { full_name: string }>

/** Names from `from` on, up to before `to`. */
interface Walk extends NameRange {
  readonly limit: number
}

/** So many ranges are walked by one statement. */
const rangesPerQuery = 16
/** Names that are read at once where not all of them count. */
const leastRead = 100

/** Names in byte order, after `after` (exclusive). */
export async function listRepositories(
  db: Reader,
  page: { readonly after?: string; readonly limit: number; readonly visible: VisibleRepositories },
): Promise<RepositoryName[]> {
  const { after = '', limit, visible } = page
  const found: string[] = []
  for (const range of visible.within?.ranges ?? [allNames]) {
    const rest = clip(range, { from: after === '' ? '' : justAfter(after), to: undefined })
    if (rest === undefined || found.length >= limit) continue
    found.push(...(await listWithin(db, visible, { ...rest, limit: limit - found.length })))
  }
  return found as RepositoryName[]
}

async function listWithin(db: Reader, visible: VisibleRepositories, walk: Walk): Promise<string[]> {
  const { within } = visible
  return fill(walk, within, async (step) => {
    const names = await selectUnion(db, visibleArms(visible), step)
    const granted = visible.all ? undefined : visible.granted
    if (granted === undefined) return names
    const more = await listGranted(db, granted, step)
    return [...new Set([...names, ...more])].toSorted(compare).slice(0, step.limit)
  })
}

async function listGranted(db: Reader, granted: NameSet, walk: Walk): Promise<string[]> {
  const ahead = granted.ranges.filter((range) => clip(range, walk) !== undefined)
  const found: string[] = []
  for (const ranges of chunks(ahead, rangesPerQuery)) {
    if (found.length >= walk.limit) break
    const arms = ranges.map((range) => ({ range }))
    const rest = { ...walk, limit: walk.limit - found.length }
    found.push(...(await fill(rest, granted, (step) => selectUnion(db, arms, step))))
  }
  return found
}

/** Goes on until `limit` names of the set are found, or there are no more. */
async function fill(
  walk: Walk,
  set: NameSet | undefined,
  list: (step: Walk) => Promise<string[]>,
): Promise<string[]> {
  if (set === undefined) return list(walk)
  const found: string[] = []
  let step = { ...walk, limit: Math.max(walk.limit, leastRead) }
  for (;;) {
    const names = await list(step)
    found.push(...names.filter((name) => set.has(name)))
    const last = names.at(-1)
    if (last === undefined || names.length < step.limit || found.length >= walk.limit) break
    step = { ...walk, from: justAfter(last) }
  }
  return found.slice(0, walk.limit)
}

/** The first names of all arms together, each once. */
async function selectUnion(db: Reader, arms: readonly VisibleArm[], walk: Walk): Promise<string[]> {
  const [first, ...others] = arms.flatMap((arm) => {
    const range = clip(arm.range, walk)
    return range === undefined ? [] : selectArm(db, { ...arm, range }, walk.limit)
  })
  if (first === undefined) return []
  const union = others.reduce((query, arm) => query.union(arm), first)
  const rows = await union.orderBy('full_name').limit(walk.limit).execute()
  return rows.map((row) => row.full_name)
}

function selectArm(db: Reader, { range, holds }: VisibleArm, limit: number): NamesQuery {
  const { dialect, kysely } = databaseOf(db)
  const { from, to } = range
  const names = kysely
    .selectFrom('repository')
    .innerJoin('owner', 'owner.id', 'repository.owner_id')
    .select('repository.name as full_name')
    .where((eb) =>
      eb.and([
        eb('repository.name', '>=', from),
        ...(to === undefined ? [] : [eb('repository.name', '<', to)]),
        ...(holds === undefined ? [] : [holds(eb)]),
      ]),
    )
  // SQLite merges the walks row by row; PostgreSQL ends each of them by its own limit.
  if (dialect === 'sqlite') return names
  return kysely.selectFrom(names.orderBy('repository.name').limit(limit).as('page')).select('page.full_name')
}

/** What both have; names are ASCII, so that texts compare as the database compares them. */
function clip(a: NameRange, b: NameRange): NameRange | undefined {
  const from = a.from > b.from ? a.from : b.from
  const to = a.to === undefined || (b.to !== undefined && b.to < a.to) ? b.to : a.to
  return to !== undefined && from >= to ? undefined : { from, to }
}

/** No character of a name comes before "-": a name is greater than the text exactly when it is not less than this. */
function justAfter(text: string): string {
  return `${text} `
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
