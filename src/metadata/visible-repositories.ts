/**
 * What a caller may see of repositories: as conditions of queries over `repository` joined with its `owner`, and of rows.
 */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import type { Schema, Visibility } from './schema.ts'

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

interface SeenRepository extends RepositoryVisibility {
  readonly name: string
}

type Joined = ExpressionBuilder<Schema, 'repository' | 'owner'>

/** Names of a range, of which those are seen that meet a condition; without one all are. */
export interface VisibleArm {
  readonly range: NameRange
  readonly holds?: (eb: Joined) => Expression<SqlBool>
}

/**
 * Greater than every name. Repositories that were deleted and still have rows are called something from here on
 * (`repository-deletion.ts`): whatever lists names ends before it.
 */
export const endOfNames = '~'

export const allNames: NameRange = { from: '', to: endOfNames }

/** All below an owner: the character after the slash ends it. */
export function namesBelow(owner: string): NameRange {
  return { from: `${owner}/`, to: `${owner}0` }
}

/** Alternatives that are served by an index each, but for what is granted, which are `NameSet`s to be asked. */
export function visibleArms(visible: VisibleRepositories): VisibleArm[] {
  if (visible.all) return [{ range: allNames }]
  const arms: VisibleArm[] = []
  if (visible.public) arms.push({ range: allNames, holds: isPublicRow })
  if (visible.internal === true) arms.push(...internalArms)
  if (visible.owner !== undefined) arms.push({ range: namesBelow(visible.owner) })
  return arms
}

/** The same conditions for a row that was read. */
export function isVisible(repository: SeenRepository, visible: VisibleRepositories): boolean {
  if (repository.name >= endOfNames) return false
  if (visible.within !== undefined && !visible.within.has(repository.name)) return false
  if (visible.all) return true
  if (visible.public && isPublic(repository)) return true
  if (visible.internal === true && isInternal(repository)) return true
  if (visible.granted?.has(repository.name) === true) return true
  return visible.owner !== undefined && repository.name.startsWith(`${visible.owner}/`)
}

export function isPublic({ visibility, ownerVisibility }: RepositoryVisibility): boolean {
  return visibility === 'public' && ownerVisibility === 'public'
}

/** Public ones too. */
export function isInternal({ visibility, ownerVisibility }: RepositoryVisibility): boolean {
  return visibility !== 'private' && ownerVisibility !== 'private'
}

function isPublicRow(eb: Joined): Expression<SqlBool> {
  return eb.and([eb('repository.visibility', '=', 'public'), eb('owner.visibility', '=', 'public')])
}

/** With the public ones, all whose stricter visibility is `internal`. */
const internalArms: readonly VisibleArm[] = [
  {
    range: allNames,
    holds: (eb) =>
      eb.and([eb('repository.visibility', '=', 'public'), eb('owner.visibility', '=', 'internal')]),
  },
  {
    range: allNames,
    holds: (eb) =>
      eb.and([
        eb('repository.visibility', '=', 'internal'),
        eb('owner.visibility', 'in', ['public', 'internal']),
      ]),
  },
]
