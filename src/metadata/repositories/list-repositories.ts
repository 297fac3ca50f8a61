/**
 * Lists the names of repositories that a caller may see, as keyset pages. Each source of visible names is a walk along
 * an index: public and internal repositories, the caller's own, and the ranges of names that its grants cover. The walks
 * advance together in slices of a bounded number of rows. The owner's visibility and the patterns then decide about each
 * row, so that a walk may read many rows for each name that it finds. It pauses between slices, and the page ends early
 * when its turns are spent.
 */
import { sql } from 'kysely'
import { compareTexts } from '../../lib/compare-texts.ts'
import { Turns } from '../../lib/turns/turns.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import type { Reader } from '../handles.ts'
import type { Visibility } from '../owners/schema.ts'
import { compileOnce } from '../sql/compile-once.ts'
import type { TemplateInput } from '../sql/compile-once.ts'
import { databaseOf, isAnyOf, listParameter } from '../sql/database.ts'
import { allNames, endOf, endOfNames, namesBelow, visibleWalks } from './visible-repositories.ts'
import type { NameRange, OpenRepositories, VisibleRepositories, VisibleWalk } from './visible-repositories.ts'

export interface RepositoriesPage {
  /** In byte order. */
  readonly names: RepositoryName[]
  /**
   * The name at which the next page starts (its `from`), if the turns were used up before the page was full. It may be a part of
   * a name that the caller must not see.
   */
  readonly stoppedAt: string | undefined
}

interface SliceParameters {
  readonly from: string
  readonly to: string
  readonly limit: number
}

interface Slice {
  /** In order. */
  readonly rows: readonly SeenRow[]
  /** All names before this one were checked. */
  readonly next: string
  /** Whether the range may have more names after that position. */
  readonly isCut: boolean
}

interface SeenRow {
  name: string
  visibility: Visibility
  owner_visibility: Visibility
}

/** The most rows of one statement; on SQLite all requests wait for it. */
const maxRows = 200
/** The most rows of one statement that itself skips most of them. */
const maxHiddenRows = 1_000
/** The fewest rows: if few of them are visible, small slices would take many statements. */
const minRows = 50
/** The ranges read in parallel; on PostgreSQL each is a separate request. */
const rangesAtOnce = { sqlite: 1, postgres: 16 } as const

const namesBetween = compileOnce<SliceParameters, SeenRow>(({ kysely, parameter }) =>
  kysely
    .selectFrom('repository')
    .innerJoin('owner', 'owner.id', 'repository.owner_id')
    .select(['repository.name', 'repository.visibility', 'owner.visibility as owner_visibility'])
    .where('repository.name', '>=', parameter('from'))
    .where('repository.name', '<', parameter('to'))
    .orderBy('repository.name')
    .limit(parameter('limit')),
)

type OpenParameters = SliceParameters & { readonly visibility: Visibility }

/** Selects the first repositories of a visibility, then keeps those whose owner has one of the given visibilities. */
const openNames = compileOnce<OpenParameters & { ownerVisibilities: unknown }, SeenRow>((input) =>
  input.kysely
    .selectFrom(selectOpen(input).select('repository.owner_id').limit(input.parameter('limit')).as('open'))
    .innerJoin('owner', 'owner.id', 'open.owner_id')
    .select(['open.name', 'open.visibility', 'owner.visibility as owner_visibility'])
    .where(isAnyOf(input.dialect, 'owner.visibility', input.parameter('ownerVisibilities'))),
)

/** Finds the last repository of a full slice. */
const lastOpenName = compileOnce<Omit<OpenParameters, 'limit'> & { skipped: number }, { name: string }>(
  (input) => selectOpen(input).limit(sql.lit(1)).offset(input.parameter('skipped')),
)

interface PageRequest {
  /** Exclusive. */
  readonly after?: string | undefined
  /** Only repositories of this owner. */
  readonly owner?: string | undefined
  readonly limit: number
  readonly visible: VisibleRepositories
}

/** Lists names until the page is full or there are no more, however many rows that takes. Throws the reason of the signal. */
export async function listRepositories(
  db: Reader,
  { signal, ...page }: PageRequest & { readonly signal?: AbortSignal | undefined },
): Promise<RepositoryName[]> {
  const { names } = await pageRepositories(db, { ...page, turns: new Turns({ signal }) })
  return names
}

/**
 * Like `listRepositories`, but ends early when the turns are used up. `from` (inclusive) replaces `after`. Throws the reason of
 * the turns' signal.
 */
export async function pageRepositories(
  db: Reader,
  page: PageRequest & { readonly from?: string | undefined; readonly turns: Turns },
): Promise<RepositoriesPage> {
  const { after, limit, visible, turns } = page
  const from = page.from ?? (after === undefined ? '' : justAfter(after))
  const range = page.owner === undefined ? allNames : namesBelow(page.owner)
  const walks = visibleWalks(visible, range).map((walk) => new NameWalk(db, { ...walk, from }))
  const rows = Math.min(maxRows, Math.max(minRows, limit))
  const names: string[] = []
  for (;;) {
    const position = least(walks.map((walk) => walk.position))
    names.push(...mergeNames(walks.map((walk) => walk.take(position))))
    if (names.length >= limit || position >= endOfNames) break
    if (turns.isSpent && position > from) {
      return { names: names as RepositoryName[], stoppedAt: position }
    }
    for (const walk of walks) if (walk.position === position) await walk.read(rows, turns)
  }
  return { names: names.slice(0, limit) as RepositoryName[], stoppedAt: undefined }
}

class NameWalk {
  readonly #db: Reader
  readonly #walk: VisibleWalk
  #found: string[] = []
  /** Whether owners hid more than half of the last slice. */
  #isMostlyHidden = false
  /** The index of the next range. */
  #index = 0
  #position = ''

  constructor(db: Reader, { from, ...walk }: VisibleWalk & { readonly from: string }) {
    this.#db = db
    this.#walk = walk
    this.#goOn(from)
  }

  /** All names before this one were read; `endOfNames` if nothing is left. */
  get position(): string {
    return this.#position
  }

  /** Removes and returns the names found before `position`. */
  take(position: string): string[] {
    const end = this.#found.findIndex((name) => name >= position)
    return this.#found.splice(0, end === -1 ? this.#found.length : end)
  }

  /** Reads at most one slice, and at least one row if there is one. */
  async read(rowsPerSlice: number, turns: Turns): Promise<void> {
    const limit = this.#isMostlyHidden ? maxHiddenRows : rowsPerSlice
    const ranges = this.#nextRanges()
    const slices = await Promise.all(ranges.map(async (range) => this.#readSlice(range, limit)))
    for (const { rows, next, isCut } of slices) {
      for (const row of rows) {
        this.#look(row)
        if (!turns.isDue()) continue
        if (turns.isSpent) return this.#goOn(justAfter(row.name))
        await turns.rest()
      }
      this.#goOn(next)
      if (isCut) break
    }
    await turns.pass()
  }

  #nextRanges(): NameRange[] {
    const { dialect } = databaseOf(this.#db)
    const ranges = this.#walk.ranges.slice(this.#index, this.#index + rangesAtOnce[dialect])
    return ranges.map((range, index) => (index === 0 ? { ...range, from: this.#position } : range))
  }

  #look({ name, visibility, owner_visibility: ownerVisibility }: SeenRow): void {
    if (this.#walk.sees({ name, visibility, ownerVisibility })) this.#found.push(name)
  }

  #goOn(from: string): void {
    const { ranges } = this.#walk
    let range = ranges[this.#index]
    while (range !== undefined && endOf(range) <= from) range = ranges[(this.#index += 1)]
    if (range === undefined) this.#position = endOfNames
    else this.#position = range.from > from ? range.from : from
  }

  async #readSlice(range: NameRange, limit: number): Promise<Slice> {
    const { open } = this.#walk
    const slice = { from: range.from, to: endOf(range), limit }
    if (open !== undefined) return this.#readOpen(slice, open)
    const rows = await namesBetween.all(this.#db, slice)
    const end = rows.length === limit ? rows.at(-1)?.name : undefined
    return { rows, next: end === undefined ? slice.to : justAfter(end), isCut: end !== undefined }
  }

  /** Finds the end of the slice before its rows, because the rows do not show it when owners hide some. */
  async #readOpen({ from, limit, ...slice }: SliceParameters, open: OpenRepositories): Promise<Slice> {
    const { visibility } = open
    const range = { from, to: slice.to, visibility }
    const end = (await lastOpenName.first(this.#db, { ...range, skipped: limit - 1 }))?.name
    const to = end === undefined ? slice.to : justAfter(end)
    const ownerVisibilities = listParameter(databaseOf(this.#db).dialect, open.ownerVisibilities)
    // Other processes may have created some in the meantime.
    const maxOpenRows = 2 * limit
    const rows = await openNames.all(this.#db, { ...range, to, limit: maxOpenRows, ownerVisibilities })
    this.#isMostlyHidden = end !== undefined && rows.length < limit / 2
    // A join does not keep the order.
    const inOrder = rows.toSorted((a, b) => compareTexts(a.name, b.name))
    return { rows: inOrder, next: to, isCut: end !== undefined }
  }
}

/** Merges sorted lists into one sorted list without duplicates. */
function mergeNames(lists: readonly string[][]): string[] {
  const [first = [], ...others] = lists.filter((list) => list.length > 0)
  return others.length === 0 ? first : [...new Set([first, ...others].flat())].toSorted()
}

function least(texts: readonly string[]): string {
  return texts.reduce((one, other) => (other < one ? other : one), endOfNames)
}

function selectOpen({
  kysely,
  parameter,
}: Pick<TemplateInput<Omit<OpenParameters, 'limit'>>, 'kysely' | 'parameter'>) {
  return kysely
    .selectFrom('repository')
    .select(['repository.name', 'repository.visibility'])
    .where('repository.visibility', '=', parameter('visibility'))
    .where('repository.name', '>=', parameter('from'))
    .where('repository.name', '<', parameter('to'))
    .orderBy('repository.name')
}

/** Returns the lower bound of all names after this one: it appends a space, which sorts before every character of a name. */
function justAfter(text: string): string {
  return `${text} `
}
