/**
 * Referrers: manifests of a repository whose subject is a given digest, whether that exists here or not. Descriptors
 * carry annotations and may have the size of a manifest: a page is cut by their sizes before they are loaded, and what
 * is small comes with the sizes, so that a usual page is one query.
 */
import { sql } from 'kysely'
import type { AliasedRawBuilder, RawBuilder } from 'kysely'
import type { Turns } from '../lib/turns.ts'
import type { Digest } from '../oci/digest.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import type { Reader } from './handles.ts'
import { compileOnce } from './sql/compile-once.ts'
import type { TemplateInput } from './sql/compile-once.ts'
import { databaseOf, idsParameter, isAnyOf, isAnyOfIds, listParameter } from './sql/database.ts'

export interface ReferrersRequest {
  readonly repository: RepositoryName
  readonly subject: Digest
  /** Empty: all. */
  readonly artifactTypes: readonly string[]
  /** What `next` of the page before said. */
  readonly after?: number | undefined
  readonly limit: number
  /** Of descriptors on a page; one that is larger has a page of its own. */
  readonly maxBytes: number
  /** `false`: the sizes alone. */
  readonly withDescriptors: boolean
  /** When they are spent, the page ends early. */
  readonly turns: Turns
}

export interface ReferrersPage {
  /** In bytes, one for each referrer of the page. */
  readonly sizes: readonly number[]
  /** JSON, ready to serve. Without what was deleted while they were loaded. */
  readonly descriptors: readonly string[]
  /** Where the next page starts, when others may follow. */
  readonly next: number | undefined
}

interface SliceParameters {
  repository: string
  subject: string
  after: number
  limit: number
  /** Larger descriptors are not loaded. */
  inlineBytes: number
}

interface SliceRow {
  id: number
  size: number
  descriptor: string | null
}

/** A manifest that has none of the types comes without a size. */
type FilteredRow = Omit<SliceRow, 'size'> & { size: number | null }

/** Rows of one statement; on SQLite everybody waits for it. */
const maxRows = 500

const size = sql<number>`octet_length(manifest.descriptor)`

const allReferrers = compileOnce<SliceParameters, SliceRow>((input) => {
  const isSmall = sql<boolean>`${size} <= ${input.parameter('inlineBytes')}`
  return selectSlice(input).select([size.as('size'), descriptorWhere(isSmall)])
})

const referrersOfTypes = compileOnce<SliceParameters & { artifactTypes: unknown }, FilteredRow>((input) => {
  const counts = isAnyOf(input.dialect, 'manifest.artifact_type', input.parameter('artifactTypes'))
  const isSmall = sql<boolean>`${counts} and ${size} <= ${input.parameter('inlineBytes')}`
  const sizeOfWanted = sql<number | null>`case when ${counts} then ${size} end`
  return selectSlice(input).select([sizeOfWanted.as('size'), descriptorWhere(isSmall)])
})

const descriptorsById = compileOnce<{ ids: unknown }, { id: number; descriptor: string }>(
  ({ kysely, dialect, parameter }) =>
    kysely
      .selectFrom('manifest')
      .select(['id', 'descriptor'])
      .where(isAnyOfIds(dialect, 'id', parameter('ids'))),
)

/**
 * In the order of their first push. Empty when the repository or the subject is unknown. Throws what aborts the turns.
 */
export async function listReferrers(db: Reader, request: ReferrersRequest): Promise<ReferrersPage> {
  const { limit, maxBytes, turns } = request
  const rows: SliceRow[] = []
  let bytes = 0
  let { after = 0 } = request
  for (;;) {
    const isFiltered = request.artifactTypes.length > 0
    const count = isFiltered ? maxRows : Math.min(maxRows, limit + 1 - rows.length)
    const slice = await readSlice(db, request, { after, limit: count })
    for (const row of slice) {
      if (!isWanted(row)) continue
      const isFull = rows.length === limit || (rows.length > 0 && bytes + row.size > maxBytes)
      if (isFull) return loadPage(db, rows, request)
      rows.push(row)
      bytes += row.size
    }
    const last = slice.at(-1)
    if (last === undefined || slice.length < count)
      return { ...(await loadPage(db, rows, request)), next: undefined }
    after = last.id
    if (turns.isSpent) return { ...(await loadPage(db, rows, request)), next: after }
    await turns.pass()
  }
}

function isWanted(row: FilteredRow): row is SliceRow {
  return row.size !== null
}

function readSlice(
  db: Reader,
  { repository, subject, artifactTypes, ...request }: ReferrersRequest,
  { after, limit }: { readonly after: number; readonly limit: number },
): FilteredRow[] | Promise<FilteredRow[]> {
  // The page stays below `maxBytes`, and so does one statement, which with a filter may find more rows than the page takes.
  const mostRows = Math.max(request.limit + 1, limit)
  const inlineBytes = request.withDescriptors ? Math.floor(request.maxBytes / mostRows) : -1
  const parameters = { repository, subject, after, limit, inlineBytes }
  if (artifactTypes.length === 0) return allReferrers.all(db, parameters)
  const types = listParameter(databaseOf(db).dialect, artifactTypes)
  return referrersOfTypes.all(db, { ...parameters, artifactTypes: types })
}

async function loadPage(
  db: Reader,
  rows: readonly SliceRow[],
  { withDescriptors }: ReferrersRequest,
): Promise<ReferrersPage> {
  const page = { sizes: rows.map(({ size }) => size), next: rows.at(-1)?.id }
  if (!withDescriptors) return { ...page, descriptors: [] }
  const large = rows.filter(({ descriptor }) => descriptor === null)
  const loaded = await loadDescriptors(
    db,
    large.map(({ id }) => id),
  )
  const descriptors = rows.map(({ id, descriptor }) => descriptor ?? loaded.get(id))
  return { ...page, descriptors: descriptors.filter((descriptor) => descriptor !== undefined) }
}

async function loadDescriptors(db: Reader, ids: readonly number[]): Promise<ReadonlyMap<number, string>> {
  if (ids.length === 0) return new Map()
  const rows = await descriptorsById.all(db, { ids: idsParameter(databaseOf(db).dialect, ids) })
  return new Map(rows.map(({ id, descriptor }) => [id, descriptor]))
}

/** Neither database reads a text to tell its length in bytes, and none is read where it is not asked for. */
function descriptorWhere(condition: RawBuilder<boolean>): AliasedRawBuilder<string | null, 'descriptor'> {
  return sql<string | null>`case when ${condition} then manifest.descriptor end`.as('descriptor')
}

function selectSlice({
  kysely,
  parameter,
}: Pick<TemplateInput<Omit<SliceParameters, 'inlineBytes'>>, 'kysely' | 'parameter'>) {
  return kysely
    .selectFrom('repository')
    .innerJoin('manifest', 'manifest.repository_id', 'repository.id')
    .select('manifest.id')
    .where('repository.name', '=', parameter('repository'))
    .where('manifest.subject_digest', '=', parameter('subject'))
    .where('manifest.id', '>', parameter('after'))
    .orderBy('manifest.id')
    .limit(parameter('limit'))
}
