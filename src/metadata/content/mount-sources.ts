/**
 * Finds a repository from which a blob may be mounted. The work depends on the caller, and not on content that the
 * caller cannot see. A named repository takes one lookup. Without a name, a fixed number of links around the digest and
 * of the caller's own and granted repositories are read, whether or not they have the blob. A blob in many repositories
 * may therefore be missed, and is then uploaded.
 */
import { sql } from 'kysely'
import { Turns } from '../../lib/turns/turns.ts'
import type { Digest } from '../../oci/digest.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import type { Reader } from '../handles.ts'
import type { Visibility } from '../owners/schema.ts'
import { compileOnce } from '../sql/compile-once.ts'
import { endOf, isVisible, namesBelow } from '../repositories/visible-repositories.ts'
import type { NameRange, VisibleRepositories } from '../repositories/visible-repositories.ts'

export interface MountSearch {
  readonly digest: Digest
  readonly from?: RepositoryName | undefined
  readonly target: RepositoryName
  readonly visible: VisibleRepositories
  /** If set, only public repositories and these names count. */
  readonly within?: readonly string[] | undefined
}

interface LinkRow {
  digest: string
  state: 'live' | 'hidden'
  name: string
  visibility: Visibility
  owner_visibility: Visibility
}

const maxNeighbours = 64
const maxPerRange = 256
/** The most ranges of the caller's own and fully granted repositories. */
const maxRanges = 16

const linkOf = compileOnce<{ name: string; digest: string }, LinkRow>(({ kysely, parameter }) =>
  kysely
    .selectFrom('repository')
    .innerJoin('owner', 'owner.id', 'repository.owner_id')
    .innerJoin('blob_link', 'blob_link.repository_id', 'repository.id')
    .select(['blob_link.digest', 'blob_link.state'])
    .select(['repository.name', 'repository.visibility', 'owner.visibility as owner_visibility'])
    .where('repository.name', '=', parameter('name'))
    .where('blob_link.digest', '=', parameter('digest')),
)

/** Selects links of the digest first, then of the next digests, and after the last digest of the first ones. */
const linksAround = compileOnce<{ digest: string }, LinkRow>(({ kysely, parameter }) => {
  const linksWhere = (comparison: '>=' | '<') =>
    kysely
      .selectFrom('blob_link')
      .select(['digest', 'state', 'repository_id'])
      .where('digest', comparison, parameter('digest'))
      .orderBy('digest')
      .limit(sql.lit(maxNeighbours))
  const following = kysely.selectFrom(linksWhere('>=').as('following')).selectAll()
  const first = kysely.selectFrom(linksWhere('<').as('first')).selectAll()
  return kysely
    .selectFrom(following.unionAll(first).limit(sql.lit(maxNeighbours)).as('link'))
    .innerJoin('repository', 'repository.id', 'link.repository_id')
    .innerJoin('owner', 'owner.id', 'repository.owner_id')
    .select(['link.digest', 'link.state'])
    .select(['repository.name', 'repository.visibility', 'owner.visibility as owner_visibility'])
})

/** SQLite keeps the written order of a cross join; otherwise it would start with all links of the digest. */
const linksWithin = compileOnce<{ from: string; to: string; digest: string }, LinkRow>(
  ({ kysely, parameter }) =>
    kysely
      .selectFrom((eb) =>
        eb
          .selectFrom('repository')
          .select(['id', 'name', 'visibility', 'owner_id'])
          .where('name', '>=', parameter('from'))
          .where('name', '<', parameter('to'))
          .orderBy('name')
          .limit(sql.lit(maxPerRange))
          .as('own'),
      )
      .innerJoin('owner', 'owner.id', 'own.owner_id')
      .crossJoin('blob_link')
      .select(['blob_link.digest', 'blob_link.state'])
      .select(['own.name', 'own.visibility', 'owner.visibility as owner_visibility'])
      .whereRef('blob_link.repository_id', '=', 'own.id')
      .where('blob_link.digest', '=', parameter('digest')),
)

/**
 * Finds a visible repository that has the blob: `from`, or any if it is absent. Without `from` the target itself also
 * counts: anyone who may push there may use its blobs. Pauses between rows, which are slow to match against patterns, so
 * it must not run in a transaction. Throws the reason of the turns' signal.
 */
export async function findMountSource(
  db: Reader,
  search: MountSearch,
  turns = new Turns(),
): Promise<RepositoryName | undefined> {
  const { digest, from, target, visible, within = [] } = search
  if (from !== undefined) {
    const row = await linkOf.first(db, { name: from, digest })
    return row !== undefined && serves(row, search) ? from : undefined
  }
  const own = await linkOf.first(db, { name: target, digest })
  const named = await Promise.all(within.map(async (name) => linkOf.first(db, { name, digest })))
  const neighbours = await linksAround.all(db, { digest })
  const reached = await findReached(db, { digest, visible, turns })
  if (own?.state === 'live') return target
  for (const row of [...named, ...neighbours, ...reached]) {
    if (row !== undefined && serves(row, search)) return row.name as RepositoryName
    await turns.pass()
  }
  return undefined
}

/** Whether the result of `findMountSource` is still valid: one lookup, for the transaction that mounts. */
export async function isMountSource(
  db: Reader,
  search: MountSearch,
  source: RepositoryName,
): Promise<boolean> {
  const row = await linkOf.first(db, { name: source, digest: search.digest })
  if (row === undefined) return false
  const isTarget = search.from === undefined && source === search.target
  return isTarget ? row.state === 'live' : serves(row, search)
}

/** Searches only fully visible ranges, so that the work reveals nothing about hidden repositories. */
async function findReached(
  db: Reader,
  { digest, visible, turns }: Pick<MountSearch, 'digest' | 'visible'> & { readonly turns: Turns },
): Promise<LinkRow[]> {
  const found: LinkRow[] = []
  for (const range of reachedRanges(visible)) {
    found.push(...(await linksWithin.all(db, { from: range.from, to: endOf(range), digest })))
    await turns.pass()
  }
  return found
}

function reachedRanges(visible: VisibleRepositories): readonly NameRange[] {
  if (visible.all) return []
  const own = visible.owner === undefined ? [] : [namesBelow(visible.owner)]
  return [...own, ...(visible.granted?.whole ?? [])].slice(0, maxRanges)
}

/** Compares the digest last, so that the cost of a hidden repository does not depend on its content. */
function serves(row: LinkRow, { digest, visible, within }: MountSearch): boolean {
  const { name, visibility, owner_visibility: ownerVisibility } = row
  const repository = { name, visibility, ownerVisibility }
  if (!isVisible(repository, visible)) return false
  if (within !== undefined && !within.includes(name) && !isVisible(repository, onlyPublic)) return false
  return row.digest === digest && row.state === 'live'
}

const onlyPublic: VisibleRepositories = { all: false, public: true, owner: undefined }
