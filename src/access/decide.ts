/**
 * The decision: turns all facts into allowed or denied, with the fact that decided. It looks nothing up. The order of its
 * checks affects only the reason, never the answer.
 */
import { isInternal, isPublic } from '../metadata/repositories/visible-repositories.ts'
import type { RepositoryVisibility } from '../metadata/repositories/visible-repositories.ts'
import { ownerOf } from '../oci/repository-name.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import type { Permission } from './permissions.ts'
import type { Action } from './policy.ts'
import type { Principal, TokenLimits } from '../identity/principal.ts'
import { coversOwner } from './patterns/repository-pattern.ts'
import { includesAction } from './scope.ts'
import type { HeldGrant, HeldGrants } from './grants/held-grants.ts'
import { nameSetOf } from './patterns/name-set.ts'

export type AnonymousMode = 'none' | 'pull' | 'push'

export interface Facts {
  readonly anonymous: AnonymousMode
  readonly principal: Principal
  readonly grants: HeldGrants
  /** The visibility of the repository, or of one that anyone may create; `undefined`: visibility allows nothing. */
  readonly visibility: RepositoryVisibility | undefined
}

export type Verdict =
  | { readonly allowed: true; readonly by: 'administrator' | 'ownership' | 'visibility' | 'open' }
  | { readonly allowed: true; readonly by: 'grant'; readonly grant: HeldGrant }
  /** `scope`, `limits`: the credential of the request excludes it. `rights`: nothing allows it. */
  | { readonly allowed: false; readonly by: 'scope' | 'limits' | 'rights' }

const refusals = {
  scope: { allowed: false, by: 'scope' },
  limits: { allowed: false, by: 'limits' },
  rights: { allowed: false, by: 'rights' },
} as const satisfies Record<string, Verdict>

export function decide(facts: Facts, permission: Permission, repository: RepositoryName): Verdict {
  const { principal } = facts
  const bound = findBound(principal, permission, repository)
  if (bound !== undefined) return refusals[bound]
  const standing = standingOf(principal, ownerOf(repository))
  if (standing !== undefined) return { allowed: true, by: standing }
  const open = findOpening(facts, permission)
  if (open !== undefined) return { allowed: true, by: open }
  const grant = facts.grants
    .below(ownerOf(repository))
    .find(({ permissions, reaches }) => permissions.has(permission) && reaches(repository))
  return grant === undefined ? refusals.rights : { allowed: true, by: 'grant', grant }
}

/** Decides on a whole owner: visibility allows nothing here, and a grant has to cover all its repositories. */
export function decideOwner(
  facts: Omit<Facts, 'visibility'>,
  permission: Permission,
  owner: string,
): Verdict {
  const { principal, grants } = facts
  if (principal.scopes !== undefined) return refusals.scope
  if (!isWithinOwner(limitsOf(principal), permission, owner)) return refusals.limits
  const standing = standingOf(principal, owner)
  if (standing !== undefined) return { allowed: true, by: standing }
  const grant = grants
    .below(owner)
    .find(({ permissions, pattern }) => permissions.has(permission) && coversOwner(pattern, owner))
  return grant === undefined ? refusals.rights : { allowed: true, by: 'grant', grant }
}

/** Returns the bound of the credential that excludes this action, regardless of the principal's rights. */
export function findBound(
  principal: Principal,
  permission: Permission,
  repository: RepositoryName,
): 'scope' | 'limits' | undefined {
  if (!includesAction(principal.scopes, repository, actionOf(permission))) return 'scope'
  return isWithin(limitsOf(principal), permission, repository) ? undefined : 'limits'
}

/** Whether the principal may do everything below the owner, without a look-up. */
export function standingOf(principal: Principal, owner: string): 'administrator' | 'ownership' | undefined {
  if (principal.kind === 'anonymous') return undefined
  if (principal.isAdmin) return 'administrator'
  return principal.kind === 'user' && principal.name === owner ? 'ownership' : undefined
}

export function limitsOf(principal: Principal): TokenLimits | undefined {
  return principal.kind === 'anonymous' ? undefined : principal.limits
}

/** Scopes of bearer tokens do not distinguish the kinds of push, and none exist for settings and rights. */
function actionOf(permission: Permission): Action | 'manage' | 'administer' {
  return permission === 'push:create' || permission === 'push:update' ? 'push' : permission
}

function isWithin(limits: TokenLimits | undefined, permission: Permission, repository: string): boolean {
  if (limits === undefined) return true
  const { permissions, patterns } = limits
  if (permissions !== undefined && !permissions.has(permission)) return false
  return patterns === undefined || nameSetOf(patterns).has(repository)
}

function isWithinOwner(limits: TokenLimits | undefined, permission: Permission, owner: string): boolean {
  if (limits === undefined) return true
  const { permissions, patterns } = limits
  if (permissions !== undefined && !permissions.has(permission)) return false
  return patterns === undefined || patterns.some((pattern) => coversOwner(pattern, owner))
}

function findOpening(
  { visibility, anonymous, principal }: Facts,
  permission: Permission,
): 'visibility' | 'open' | undefined {
  if (visibility === undefined) return undefined
  const isUser = principal.kind === 'user'
  if (isPublic(visibility)) {
    if (anonymous === 'push' && actionOf(permission) !== 'manage' && permission !== 'administer')
      return 'open'
    if (permission === 'pull' && (isUser || anonymous === 'pull')) return 'visibility'
    return undefined
  }
  return permission === 'pull' && isUser && isInternal(visibility) ? 'visibility' : undefined
}
