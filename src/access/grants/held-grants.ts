/** The grants of one principal, direct and through teams, prepared for decisions. */
import type { GrantOf } from '../../metadata/rights/grants.ts'
import type { NameSet } from '../../metadata/repositories/visible-repositories.ts'
import { expandActions, isRoleAction } from '../permissions.ts'
import type { Permission } from '../permissions.ts'
import { compilePattern, patternBelow } from '../patterns/repository-pattern.ts'
import type { RepositoryPattern } from '../patterns/repository-pattern.ts'
import { createNameSet } from '../patterns/name-set.ts'

export interface HeldGrant {
  readonly id: number
  readonly owner: string
  readonly role: string
  readonly permissions: ReadonlySet<Permission>
  /** The full pattern. */
  readonly pattern: RepositoryPattern
  /** `acme/dev` if the grant is to a team. */
  readonly team: string | undefined
  readonly reaches: (repository: string) => boolean
}

export interface HeldGrants {
  below(owner: string): readonly HeldGrant[]
  /** The owners on whose repositories the principal has any grant. */
  readonly owners: readonly string[]
  /** The repositories that the grants allow to pull; `undefined`: none. */
  readonly pullable: NameSet | undefined
  readonly count: number
}

const none: readonly HeldGrant[] = []

export const noGrants: HeldGrants = {
  below: () => none,
  owners: [],
  pullable: undefined,
  count: 0,
}

export function holdGrants(rows: readonly GrantOf[]): HeldGrants {
  if (rows.length === 0) return noGrants
  const permissionsOf = createRoleReader()
  const grants = rows.map((row): HeldGrant => {
    const pattern = patternBelow(row.owner, row.pattern)
    const { id, owner, role, team } = row
    return {
      id,
      owner,
      role,
      team,
      pattern,
      permissions: permissionsOf(row),
      reaches: compilePattern(pattern),
    }
  })
  const byOwner = Map.groupBy(grants, ({ owner }) => owner)
  const createPullable = (): NameSet | undefined => {
    const pulling = grants.filter(({ permissions }) => permissions.has('pull'))
    return pulling.length === 0 ? undefined : createNameSet(pulling.map(({ pattern }) => pattern))
  }
  let pullable: { readonly names: NameSet | undefined } | undefined
  return {
    below: (owner) => byOwner.get(owner) ?? none,
    owners: [...byOwner.keys()],
    get pullable() {
      // Computed on demand: only lists and mounts need it, and sorting many patterns takes as long as reading them.
      pullable ??= { names: createPullable() }
      return pullable.names
    },
    count: grants.length,
  }
}

/** There are few roles and many grants, so grants share the sets. */
function createRoleReader(): (row: GrantOf) => ReadonlySet<Permission> {
  const known = new Map<string, ReadonlySet<Permission>>()
  return ({ role, actions }) => {
    const found = known.get(role) ?? new Set(expandActions(actions.filter(isRoleAction)))
    known.set(role, found)
    return found
  }
}
