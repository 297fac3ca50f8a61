/**
 * Referrers are manifests of a repository whose subject is a given digest, whether or not that exists here. Descriptors
 * carry annotations and may be as large as a manifest. The sizes therefore decide the end of a page before descriptors
 * are loaded; small descriptors come with the sizes, so that a usual page takes one query.
 */
import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import type { Turns } from '../../lib/turns/turns.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import type { Digest } from '../../oci/digest.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import type { Reader } from '../handles.ts'
import { compileOnce } from '../sql/compile-once.ts'
import type { TemplateInput } from '../sql/compile-once.ts'
import { databaseOf, idsParameter, isAnyOf, isAnyOfIds, listParameter } from '../sql/database.ts'

export interface ReferrersRequest {
  readonly repository: RepositoryName
  readonly subject: Digest
  /** The types to list; an empty list means all. */
  readonly artifactTypes: readonly string[]
  /** The `next` of the previous page. */
  readonly after?: number | undefined
  readonly limit: number
  /** The most bytes of descriptors on a page; a larger descriptor has its own page. */
  readonly maxBytes: number
  /** `false` returns only the sizes. */
  readonly withDescriptors: boolean
  /** The page ends early when the turns are used up. */
  readonly turns: Turns
}

export interface ReferrersPage {
  /** The sizes in bytes, one for each referrer of the page. */
  readonly sizes: readonly number[]
  /** The descriptors as JSON, ready to serve; without manifests that were deleted during the call. */
  readonly descriptors: readonly string[]
  /** The start of the next page, if more referrers may follow. */
  readonly next: number | undefined
}

interface SliceParameters {
  repository: string
  subject: string
  after: number
  limit: number
  /** Descriptors larger than this are not loaded. */
  inlineBytes: number
}

interface SliceRow {
  id: number
  /** The descriptor, or the size of a larger one in bytes as digits; `null` if the manifest has none of the types. */
  descriptor: string | null
}

/** The most rows of one statement; on SQLite all requests wait for it. */
const maxRows = 500

const allReferrers = compileOnce<SliceParameters, SliceRow>((input) =>
  selectSlice(input).select(descriptorOrSize(input).as('descriptor')),
)

const referrersOfTypes = compileOnce<SliceParameters & { artifactTypes: unknown }, SliceRow>((input) => {
  const counts = isAnyOf(input.dialect, 'manifest.artifact_type', input.parameter('artifactTypes'))
  const wanted = sql<string | null>`case when ${counts} then ${descriptorOrSize(input)} end`
  return selectSlice(input).select(wanted.as('descriptor'))
})

const descriptorsById = compileOnce<{ ids: unknown }, { id: number; descriptor: string }>(
  ({ kysely, dialect, parameter }) =>
    kysely
      .selectFrom('manifest')
      .select(['id', 'descriptor'])
      .where(isAnyOfIds(dialect, 'id', parameter('ids'))),
)

/**
 * Lists referrers in the order of their first push; none if the repository or the subject is unknown. Throws the reason
 * of the turns' signal.
 */
export async function listReferrers(db: Reader, request: ReferrersRequest): Promise<ReferrersPage> {
  const { limit, turns } = request
  const found: Found = { ids: [], sizes: [], descriptors: [], bytes: 0 }
  let { after = 0 } = request
  for (;;) {
    const isFiltered = request.artifactTypes.length > 0
    const count = isFiltered ? maxRows : Math.min(maxRows, limit + 1 - found.ids.length)
    const slice = await readSlice(db, request, { after, limit: count })
    for (const row of slice) if (!add(found, row, request)) return loadPage(db, found, request)
    const last = slice.at(-1)
    if (last === undefined || slice.length < count)
      return { ...(await loadPage(db, found, request)), next: undefined }
    after = last.id
    if (turns.isSpent) return { ...(await loadPage(db, found, request)), next: after }
    await turns.pass()
  }
}

/** The referrers of a page; each list has one entry for each. */
interface Found {
  readonly ids: number[]
  readonly sizes: number[]
  /** `undefined` for referrers whose descriptor is not loaded yet. */
  readonly descriptors: (string | undefined)[]
  bytes: number
}

/** Adds a referrer to the page. Returns `false` if the page is full; a referrer of another type is skipped. */
function add(found: Found, { id, descriptor }: SliceRow, { limit, maxBytes }: ReferrersRequest): boolean {
  if (descriptor === null) return true
  const isThere = descriptor.startsWith('{')
  const size = isThere ? Buffer.byteLength(descriptor) : Number(descriptor)
  const count = found.ids.length
  if (count === limit || (count > 0 && found.bytes + size > maxBytes)) return false
  found.ids.push(id)
  found.sizes.push(size)
  found.descriptors.push(isThere ? descriptor : undefined)
  found.bytes += size
  return true
}

function readSlice(
  db: Reader,
  { repository, subject, artifactTypes, ...request }: ReferrersRequest,
  { after, limit }: { readonly after: number; readonly limit: number },
): MaybePromise<SliceRow[]> {
  // Limits the descriptors in one statement to `maxBytes`, like the page. With a filter a statement may find more rows
  // than the page needs.
  const maxStatementRows = Math.max(request.limit + 1, limit)
  const inlineBytes = request.withDescriptors ? Math.floor(request.maxBytes / maxStatementRows) : -1
  const parameters = { repository, subject, after, limit, inlineBytes }
  if (artifactTypes.length === 0) return allReferrers.all(db, parameters)
  const types = listParameter(databaseOf(db).dialect, artifactTypes)
  return referrersOfTypes.all(db, { ...parameters, artifactTypes: types })
}

async function loadPage(
  db: Reader,
  { ids, sizes, descriptors }: Found,
  { withDescriptors }: ReferrersRequest,
): Promise<ReferrersPage> {
  const page = { sizes, next: ids.at(-1) }
  if (!withDescriptors) return { ...page, descriptors: [] }
  const loaded = await loadDescriptors(
    db,
    ids.filter((_, index) => descriptors[index] === undefined),
  )
  const all =
    loaded.size === 0 ? descriptors : descriptors.map((one, index) => one ?? loaded.get(ids[index] ?? 0))
  return { ...page, descriptors: all.filter((descriptor) => descriptor !== undefined) }
}

async function loadDescriptors(db: Reader, ids: readonly number[]): Promise<ReadonlyMap<number, string>> {
  if (ids.length === 0) return new Map()
  const rows = await descriptorsById.all(db, { ids: idsParameter(databaseOf(db).dialect, ids) })
  return new Map(rows.map(({ id, descriptor }) => [id, descriptor]))
}

/**
 * Returns the descriptor if it is small, otherwise its size in digits; neither database reads a text to find its length
 * in bytes. One column serves both, because each column of each row costs time. A descriptor is a JSON object and starts
 * with a brace.
 */
function descriptorOrSize({
  parameter,
}: Pick<TemplateInput<SliceParameters>, 'parameter'>): RawBuilder<string> {
  const size = sql<number>`octet_length(manifest.descriptor)`
  return sql<string>`case when ${size} <= ${parameter('inlineBytes')} then manifest.descriptor
    else cast(${size} as text) end`
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
