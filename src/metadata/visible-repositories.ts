/**
 * What a caller may see of repositories: as conditions of queries over `repository` joined with its `owner`, and of rows.
 */
import { sql } from 'kysely'
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

export type VisibleArm = (eb: Joined) => Expression<SqlBool>

/** Alternatives that are served by an index each: a repository is visible when one of them holds. */
export function visibleArms(visible: VisibleRepositories): VisibleArm[] {
  if (visible.all) return [() => sql.lit(true)]
  const arms: VisibleArm[] = []
  if (visible.public) arms.push(publicArm)
  if (visible.internal === true) arms.push(...internalArms)
  const { owner } = visible
  // The range of names "<owner>/...": the character after the slash ends it.
  if (owner !== undefined) {
    arms.push((eb) =>
      eb.and([eb('repository.name', '>', `${owner}/`), eb('repository.name', '<', `${owner}0`)]),
    )
  }
  return arms
}

/** The same conditions for a row that was read. */
export function isVisible(repository: SeenRepository, visible: VisibleRepositories): boolean {
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

function publicArm(eb: Joined): Expression<SqlBool> {
  return eb.and([eb('repository.visibility', '=', 'public'), eb('owner.visibility', '=', 'public')])
}

/** With `publicArm`, all whose stricter visibility is `internal`. */
const internalArms: VisibleArm[] = [
  (eb) => eb.and([eb('repository.visibility', '=', 'public'), eb('owner.visibility', '=', 'internal')]),
  (eb) =>
    eb.and([
      eb('repository.visibility', '=', 'internal'),
      eb('owner.visibility', 'in', ['public', 'internal']),
    ]),
]
