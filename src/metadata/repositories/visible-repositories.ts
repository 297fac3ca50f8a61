/** What a caller may see of repositories: as walks along an index that find all of it, and as a condition of rows. */
import type { Visibility } from '../owners/schema.ts'

/** Names from `from` up to before `to`; without `to` all that follow. */
export interface NameRange {
  readonly from: string
  readonly to: string | undefined
}

/** Names by pattern: in sorted ranges without overlap that hold all of them, each then to be asked about. */
export interface NameSet {
  readonly ranges: readonly NameRange[]
  /** Those ranges of which every name belongs to the set. */
  readonly whole: readonly NameRange[]
  has(name: string): boolean
}

export type VisibleRepositories = {
  /** Nothing else, whatever the rest says: the bounds of an access token. */
  readonly within?: NameSet | undefined
} & (
  | { readonly all: true }
  | {
      readonly all: false
      /** Those where the repository and its owner are public. */
      readonly public: boolean
      /** Those where neither the repository nor its owner is private. */
      readonly internal?: boolean
      /** All of this owner. */
      readonly owner: string | undefined
      readonly granted?: NameSet | undefined
    }
)

/** What decides who sees a repository: the stricter of the two visibilities counts. */
export interface RepositoryVisibility {
  readonly visibility: Visibility
  readonly ownerVisibility: Visibility
}

export interface SeenRepository extends RepositoryVisibility {
  readonly name: string
}

/** What is seen by its visibility and that of its owner. */
export interface OpenRepositories {
  readonly visibility: Visibility
  readonly ownerVisibilities: readonly Visibility[]
}

/** Names along one index, of which `sees` picks those that count. */
export interface VisibleWalk {
  /** In order, without overlap. */
  readonly ranges: readonly NameRange[]
  /** Only such repositories are read; `undefined`: all. */
  readonly open: OpenRepositories | undefined
  readonly sees: (repository: SeenRepository) => boolean
}

/**
 * Greater than every name. Repositories that were deleted and still have rows are called something from here on
 * (`deletion/repository-deletion.ts`): whatever lists names ends before it.
 */
export const endOfNames = '~'

export const allNames: NameRange = { from: '', to: endOfNames }

/** All below an owner: the character after the slash ends it. */
export function namesBelow(owner: string): NameRange {
  return { from: `${owner}/`, to: `${owner}0` }
}

/** The walks that together find all that is visible in a range; a name may be found by several. */
export function visibleWalks(visible: VisibleRepositories, range: NameRange): VisibleWalk[] {
  const { within } = visible
  const all = visible.all ? [walkAlong([allNames])] : walksOf(visible)
  const walks = all.map((walk) => ({ ...walk, ranges: intersect(walk.ranges, [range]) }))
  if (within === undefined) return walks
  return walks.map((walk) => ({
    ...walk,
    ranges: intersect(walk.ranges, within.ranges),
    // The bounds of a token first: they are fewer than grants.
    sees: (repository) => within.has(repository.name) && walk.sees(repository),
  }))
}

function walksOf(visible: VisibleRepositories & { readonly all: false }): VisibleWalk[] {
  const { owner, granted, internal = false } = visible
  const ownerVisibilities: readonly Visibility[] = internal ? ['public', 'internal'] : ['public']
  const walkOpen = (visibility: Visibility): VisibleWalk => ({
    ranges: [allNames],
    open: { visibility, ownerVisibilities },
    sees: (repository) => isOpen(repository, visible),
  })
  const walks: VisibleWalk[] = []
  if (visible.public || internal) walks.push(walkOpen('public'))
  if (internal) walks.push(walkOpen('internal'))
  if (owner !== undefined) walks.push(walkAlong([namesBelow(owner)]))
  if (granted !== undefined) {
    walks.push({ ...walkAlong(granted.ranges), sees: ({ name }) => granted.has(name) })
  }
  return walks
}

function walkAlong(ranges: readonly NameRange[]): VisibleWalk {
  return { ranges, open: undefined, sees: () => true }
}

/** Of two lists of ranges in order what lies in both. */
function intersect(one: readonly NameRange[], other: readonly NameRange[]): NameRange[] {
  const common: NameRange[] = []
  let [at, beside] = [0, 0]
  for (;;) {
    const [a, b] = [one[at], other[beside]]
    if (a === undefined || b === undefined) return common
    const both = clip(a, b)
    if (both !== undefined) common.push(both)
    if (endOf(a) <= endOf(b)) at += 1
    else beside += 1
  }
}

/** What both have; names are ASCII, so that texts compare as the database compares them. */
function clip(a: NameRange, b: NameRange): NameRange | undefined {
  const from = a.from > b.from ? a.from : b.from
  const to = endOf(a) < endOf(b) ? endOf(a) : endOf(b)
  return from >= to ? undefined : { from, to }
}

export function endOf({ to = endOfNames }: NameRange): string {
  return to
}

/** The same conditions for a row that was read. */
export function isVisible(repository: SeenRepository, visible: VisibleRepositories): boolean {
  if (repository.name >= endOfNames) return false
  if (visible.within !== undefined && !visible.within.has(repository.name)) return false
  if (visible.all) return true
  if (isOpen(repository, visible)) return true
  if (visible.granted?.has(repository.name) === true) return true
  return visible.owner !== undefined && repository.name.startsWith(`${visible.owner}/`)
}

function isOpen(
  repository: RepositoryVisibility,
  visible: { readonly public: boolean; readonly internal?: boolean },
): boolean {
  if (visible.public && isPublic(repository)) return true
  return visible.internal === true && isInternal(repository)
}

export function isPublic({ visibility, ownerVisibility }: RepositoryVisibility): boolean {
  return visibility === 'public' && ownerVisibility === 'public'
}

/** Public ones too. */
export function isInternal({ visibility, ownerVisibility }: RepositoryVisibility): boolean {
  return visibility !== 'private' && ownerVisibility !== 'private'
}
