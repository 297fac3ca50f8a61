/** What a caller may see of repositories, as conditions of queries over `repository` joined with its `owner`. */
import { sql } from 'kysely'
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import type { Schema } from './schema.ts'

export type VisibleRepositories =
  | { readonly all: true }
  | {
      readonly all: false
      /** Those where the repository and its owner are public. */
      readonly public: boolean
      /** Those where neither the repository nor its owner is private. */
      readonly internal?: boolean
      /** All of this owner. */
      readonly owner: string | undefined
    }

/** Conditions of one repository; `within`, where given, takes away all that is neither public nor one of these names. */
export interface VisibleSource {
  readonly visible: VisibleRepositories
  readonly within?: readonly string[] | undefined
}

type Joined = ExpressionBuilder<Schema, 'repository' | 'owner'>

export type VisibleArm = (eb: Joined) => Expression<SqlBool>

/** Alternatives that are served by an index each: a repository is visible when one of them holds. */
export function visibleArms(visible: VisibleRepositories): VisibleArm[] {
  if (visible.all) return [() => sql.lit(true)]
  const arms: VisibleArm[] = []
  if (visible.public) arms.push(isPublic)
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

export function isVisibleSource(eb: Joined, { visible, within }: VisibleSource): Expression<SqlBool> {
  const isVisible = eb.or(visibleArms(visible).map((arm) => arm(eb)))
  if (within === undefined) return isVisible
  // No repository is named '': PostgreSQL takes no empty list.
  const isNamed = eb('repository.name', 'in', [...within, ''])
  return eb.and([isVisible, eb.or([isPublic(eb), isNamed])])
}

function isPublic(eb: Joined): Expression<SqlBool> {
  return eb.and([eb('repository.visibility', '=', 'public'), eb('owner.visibility', '=', 'public')])
}

/** With `isPublic`, all whose stricter visibility is `internal`. */
const internalArms: VisibleArm[] = [
  (eb) => eb.and([eb('repository.visibility', '=', 'public'), eb('owner.visibility', '=', 'internal')]),
  (eb) =>
    eb.and([
      eb('repository.visibility', '=', 'internal'),
      eb('owner.visibility', 'in', ['public', 'internal']),
    ]),
]
