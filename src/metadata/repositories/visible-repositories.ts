/** The repositories that a caller may see, both as walks along an index that find them all and as a condition on rows. */
import type { Visibility } from '../owners/schema.ts'

/** The names from `from` (inclusive) to `to` (exclusive); without `to`, all that follow. */
export interface NameRange {
  readonly from: string
  readonly to: string | undefined
}

/**
 * A set of names given by patterns. Sorted ranges without overlap cover all of its names; `has` decides about each name
 * in them.
 */
export interface NameSet {
  readonly ranges: readonly NameRange[]
  /** The ranges in which every name belongs to the set. */
  readonly whole: readonly NameRange[]
  has(name: string): boolean
}

export type VisibleRepositories = {
  /** The bounds of an access token: no name outside them is visible. */
  readonly within?: NameSet | undefined
} & (
  | { readonly all: true }
  | {
      readonly all: false
      /** Whether repositories are visible if they and their owner are public. */
      readonly public: boolean
      /** Whether repositories are visible if neither they nor their owner is private. */
      readonly internal?: boolean
      /** The owner whose repositories are all visible. */
      readonly owner: string | undefined
      readonly granted?: NameSet | undefined
    }
)

/** The two visibilities that decide who sees a repository; the stricter one counts. */
export interface RepositoryVisibility {
  readonly visibility: Visibility
  readonly ownerVisibility: Visibility
}

export interface SeenRepository extends RepositoryVisibility {
  readonly name: string
}

/** The repositories with this visibility whose owner has one of these visibilities. */
export interface OpenRepositories {
  readonly visibility: Visibility
  readonly ownerVisibilities: readonly Visibility[]
}

/** A walk over names along one index; `sees` selects the visible ones. */
export interface VisibleWalk {
  /** Sorted, without overlap. */
  readonly ranges: readonly NameRange[]
  /** Limits the walk to these repositories; `undefined` reads all. */
  readonly open: OpenRepositories | undefined
  readonly sees: (repository: SeenRepository) => boolean
}

/**
 * A text greater than every name. Deleted repositories that still have rows have names from here on
 * (`deletion/repository-deletion.ts`), so every list of names ends before it.
 */
export const endOfNames = '~'

export const allNames: NameRange = { from: '', to: endOfNames }

/** Returns the range of all names below an owner: `0` is the character after the slash. */
export function namesBelow(owner: string): NameRange {
  return { from: `${owner}/`, to: `${owner}0` }
}

/** Returns the walks that together find all visible names in a range; several walks may find the same name. */
export function visibleWalks(visible: VisibleRepositories, range: NameRange): VisibleWalk[] {
  const { within } = visible
  const all = visible.all ? [walkAlong([allNames])] : walksOf(visible)
  const walks = all.map((walk) => ({ ...walk, ranges: intersect(walk.ranges, [range]) }))
  if (within === undefined) return walks
  return walks.map((walk) => ({
    ...walk,
    ranges: intersect(walk.ranges, within.ranges),
    // Checks the bounds of a token first: there are fewer of them than grants.
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

/** Returns the ranges common to two sorted lists of ranges. */
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

/** Returns the common part of two ranges. Names are ASCII, so that texts compare here as in the database. */
function clip(a: NameRange, b: NameRange): NameRange | undefined {
  const from = a.from > b.from ? a.from : b.from
  const to = endOf(a) < endOf(b) ? endOf(a) : endOf(b)
  return from >= to ? undefined : { from, to }
}

export function endOf({ to = endOfNames }: NameRange): string {
  return to
}

/** Applies the same conditions to one row. */
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

/** Whether every user may see it; includes public repositories. */
export function isInternal({ visibility, ownerVisibility }: RepositoryVisibility): boolean {
  return visibility !== 'private' && ownerVisibility !== 'private'
}
