/** Words a verdict for askers who may know everything about it, and says what would end a denial. */
import { ownerOf } from '../../oci/repository-name.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import { expandActions } from '../permissions.ts'
import type { Permission, RoleAction } from '../permissions.ts'
import type { Action, Explanation } from '../policy.ts'
import type { Principal } from '../../identity/principal.ts'
import type { Facts, Verdict } from '../decide.ts'
import type { HeldGrant } from '../grants/held-grants.ts'

export interface Explained {
  readonly facts: Facts
  readonly action: Action | Permission
  readonly repository: RepositoryName
}

/** From the weakest to the strongest. */
export const builtInRoles = [
  ['reader', ['pull']],
  ['writer', ['pull', 'push']],
  ['maintainer', ['pull', 'push', 'delete', 'manage']],
  ['owner', ['pull', 'push', 'delete', 'manage', 'administer']],
] as const satisfies readonly (readonly [string, readonly RoleAction[]])[]

export function explainVerdict(verdict: Verdict, { facts, action, repository }: Explained): Explanation {
  const { principal } = facts
  if (verdict.allowed) {
    const grant = verdict.by === 'grant' ? verdict.grant : undefined
    const why =
      grant === undefined ? explainStanding(verdict.by, facts, repository) : describeGrant(grant, principal)
    return { ...explanationOf('allowed', why), grantId: grant?.id }
  }
  const what = `${action} in ${repository}`
  if (verdict.by === 'scope') return deny(`the bearer token has no scope for ${what}`)
  if (verdict.by === 'limits') return deny(`the access token is limited and does not reach ${what}`)
  const who = describePrincipal(principal)
  if (principal.kind === 'anonymous') return deny(`${who} can only use public repositories`)
  const role = weakestRole(action)
  const remedy = { role, on: repository }
  const why = `no grant to ${who} allows ${what}; a grant of ${role} on ${repository} would allow it`
  return { ...deny(why), remedy }
}

export function describeGrant({ id, role, pattern, team }: HeldGrant, principal: Principal): string {
  const to = team === undefined ? describePrincipal(principal) : `team ${team}`
  return `grant ${id} gives ${role} on ${pattern} to ${to}`
}

/** The weakest built-in role that allows the action. */
export function weakestRole(action: Action | Permission): string {
  const enough = builtInRoles.find(([, actions]) => {
    const permissions = expandActions(actions)
    return action === 'push' ? permissions.includes('push:create') : permissions.includes(action)
  })
  return enough?.[0] ?? 'owner'
}

export function describePrincipal(principal: Principal): string {
  return principal.kind === 'anonymous' ? 'anonymous' : `${principal.kind} ${principal.name}`
}

function explainStanding(
  by: 'administrator' | 'ownership' | 'visibility' | 'open' | 'grant',
  { principal, visibility, anonymous }: Facts,
  repository: RepositoryName,
): string {
  const who = describePrincipal(principal)
  if (by === 'administrator') return `${who} is an administrator`
  if (by === 'ownership') return `${who} owns ${ownerOf(repository)}`
  if (by === 'open') return `${repository} is public and auth.anonymous is ${anonymous}`
  const stricter = visibility?.visibility === 'public' ? visibility.ownerVisibility : visibility?.visibility
  return `${repository} is ${stricter ?? 'public'}`
}

/** A denial that no grant would end. */
export function deny(why: string): Explanation {
  return explanationOf('denied', why)
}

function explanationOf(outcome: 'allowed' | 'denied', reason: string): Explanation {
  const text = `${outcome} because ${reason}`
  return { allowed: outcome === 'allowed', text, reason, grantId: undefined, remedy: undefined }
}
