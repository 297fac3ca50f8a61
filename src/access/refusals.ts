/**
 * Words refusals. Forbidden and missing repositories get the same words. A refusal of a bearer or access token says only what
 * follows from the token and the names, and nothing about the rights of others.
 */
import { ownerOf } from '../oci/repository-name.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import type { Permission } from './permissions.ts'
import type { Action, Refusal } from './policy.ts'
import type { AccountPrincipal, Principal } from '../identity/principal.ts'
import { findBound } from './decide.ts'
import { formatScope } from './scope.ts'
import type { Scope } from './scope.ts'

type Bound = 'scope' | 'limits' | 'rights'

interface Refused {
  readonly action: Action | Permission
  readonly repository: RepositoryName
  readonly by: Bound
}

const verbs = {
  pull: 'pull from',
  push: 'push to',
  'push:create': 'push new tags to',
  'push:update': 'move tags of',
  delete: 'delete from',
  manage: 'change the settings of',
  administer: 'change who may do what in',
} satisfies Record<Action | Permission, string>

export function refuse(principal: Principal, { action, repository, by }: Refused): Refusal {
  const what = `${verbs[action]} ${repository}`
  if (by === 'scope') {
    return { allowed: false, refusal: 'scope', reason: explainScope(principal, action, repository) }
  }
  if (by === 'limits') return refuseLimits(explainLimits(principal, { action, what, name: repository }))
  if (principal.kind === 'anonymous') {
    return { allowed: false, refusal: 'credentials', reason: `anonymous clients may not ${what}: log in` }
  }
  const advice = advise(principal, action, ownerOf(repository))
  return { allowed: false, refusal: 'rights', reason: `${nameOf(principal)} may not ${what}: ${advice}` }
}

export function refuseOwner(
  principal: Principal,
  { permission, owner, by }: { permission: Permission; owner: string; by: Bound },
): Refusal {
  const what = `${verbs[permission]} all of ${owner}`
  if (by === 'scope') {
    const reason = `a token for repositories cannot be used to ${what}: log in without one`
    return { allowed: false, refusal: 'scope', reason }
  }
  if (by === 'limits') {
    return refuseLimits(explainLimits(principal, { action: permission, what, name: `all of ${owner}` }))
  }
  if (principal.kind === 'anonymous') {
    return { allowed: false, refusal: 'credentials', reason: `anonymous clients may not ${what}: log in` }
  }
  const reason = `${nameOf(principal)} may not ${what}: ask ${owner} or an administrator`
  return { allowed: false, refusal: 'rights', reason }
}

/** 403: another token of the same account may help; sending this one in another way does not. */
function refuseLimits(reason: string): Refusal {
  return { allowed: false, refusal: 'rights', reason }
}

interface Beyond {
  readonly action: Action | Permission
  /** `push to acme/web` */
  readonly what: string
  /** `acme/web` */
  readonly name: string
}

/** Names the action that the access token was made without, or says that it was made for other repositories. */
function explainLimits(principal: Principal, { action, what, name }: Beyond): string {
  if (principal.kind === 'anonymous')
    return `a token issued without a login cannot be used to ${what}: log in`
  const token = `the access token of ${nameOf(principal)}`
  if (!lacksAction(principal, action)) {
    return `${token} is limited to repositories other than ${name}: use one that includes it`
  }
  const allowed = [...(principal.limits?.permissions ?? [])].join(', ')
  return `${token} allows only ${allowed} and cannot be used to ${what}: use one with the action ${action}`
}

function lacksAction({ limits }: AccountPrincipal, action: Action | Permission): boolean {
  const held = limits?.permissions
  if (held === undefined) return false
  return action === 'push' ? !held.has('push:create') && !held.has('push:update') : !held.has(action)
}

/** Names what the access token behind the bearer token lacks, if anything: then no scope helps. */
function explainScope(principal: Principal, action: Action | Permission, repository: RepositoryName): string {
  const what = `${verbs[action]} ${repository}`
  if (isBeyondLimits(principal, action, repository)) {
    return explainLimits(principal, { action, what, name: repository })
  }
  const wanted = scopeActions[action]
  if (wanted === undefined)
    return `a bearer token for repositories cannot be used to ${what}: log in without one`
  if (!wasRefused(principal, repository, wanted)) {
    const needed = formatScope({ type: 'repository', name: repository, actions: wanted })
    return `the token cannot be used to ${what}: get one with the scope ${needed}`
  }
  if (principal.kind === 'anonymous')
    return `a token issued without a login cannot be used to ${what}: log in`
  const advice = advise(principal, action, ownerOf(repository))
  return `${nameOf(principal)} may not ${what} with this token: ${advice}`
}

function isBeyondLimits(
  principal: Principal,
  action: Action | Permission,
  repository: RepositoryName,
): boolean {
  const unscoped = { ...principal, scopes: undefined }
  const permissions = action === 'push' ? (['push:create', 'push:update'] as const) : [action]
  return permissions.every((permission) => findBound(unscoped, permission, repository) === 'limits')
}

/**
 * Whether the client asked for this scope and did not get it, so that asking again is pointless. Anonymous clients never get
 * it, and owners always do.
 */
function wasRefused(principal: Principal, repository: RepositoryName, wanted: readonly string[]): boolean {
  const named = principal.scopes?.filter(({ type, name }) => type === 'repository' && name === repository)
  if (principal.kind === 'anonymous') return named?.length !== 0
  if (principal.kind === 'user' && principal.name === ownerOf(repository)) return false
  return named?.some((scope) => isRefusal(scope, wanted)) ?? false
}

/** A scope without actions was refused as a whole. */
function isRefusal({ actions, refused }: Scope, wanted: readonly string[]): boolean {
  if (refused === undefined) return actions.length === 0
  return refused.some((action) => wanted.includes(action))
}

const pushing = ['pull', 'push']
const scopeActions: Readonly<Partial<Record<Action | Permission, string[]>>> = {
  pull: ['pull'],
  push: pushing,
  'push:create': pushing,
  'push:update': pushing,
  delete: ['delete'],
}

function nameOf({ kind, name }: AccountPrincipal): string {
  return `${kind} ${name}`
}

function advise({ kind, name }: AccountPrincipal, action: Action | Permission, owner: string): string {
  const others = `ask ${owner} or an administrator`
  return action === 'push' && kind === 'user' ? `push below your own name, ${name}/, or ${others}` : others
}
