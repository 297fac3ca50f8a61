/**
 * What a refused request is told: the same for what is forbidden and what does not exist. Of bearer and access tokens it
 * says only what follows from them and the names; the rights behind are nobody's business.
 */
import { ownerOf } from '../oci/repository-name.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import type { Permission } from './permissions.ts'
import type { Action, Refusal } from './policy.ts'
import type { AccountPrincipal, Principal } from './principal.ts'
import { formatScope } from './scope.ts'

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
  if (by === 'limits') return refuseLimits(principal, what)
  if (principal.kind === 'anonymous') {
    return { allowed: false, refusal: 'credentials', reason: `only users with the right may ${what}: log in` }
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
    const reason = `a token for repositories does not allow to ${what}: log in without one`
    return { allowed: false, refusal: 'scope', reason }
  }
  if (by === 'limits') return refuseLimits(principal, what)
  if (principal.kind === 'anonymous') {
    return { allowed: false, refusal: 'credentials', reason: `only users with the right may ${what}: log in` }
  }
  const reason = `${nameOf(principal)} may not ${what}: ask ${owner} or an administrator`
  return { allowed: false, refusal: 'rights', reason }
}

/** Another token of the same account may do, but no other way to send this one. */
function refuseLimits(principal: Principal, what: string): Refusal {
  const holder = principal.kind === 'anonymous' ? '' : ` of ${nameOf(principal)}`
  const reason = `the access token${holder} is limited and does not allow to ${what}: use one with wider limits`
  return { allowed: false, refusal: 'rights', reason }
}

/**
 * A repository that the bearer token names was asked for, and its owner would have got all of it.
 */
function explainScope(principal: Principal, action: Action | Permission, repository: RepositoryName): string {
  const what = `${verbs[action]} ${repository}`
  const wasAsked = principal.scopes?.some(({ type, name }) => type === 'repository' && name === repository)
  if (!wasAsked || (principal.kind === 'user' && principal.name === ownerOf(repository))) {
    const scopes = scopeActions[action]
    if (scopes === undefined)
      return `a bearer token for repositories does not allow to ${what}: log in without one`
    const needed = formatScope({ type: 'repository', name: repository, actions: scopes })
    return `the token does not allow to ${what}: get one with the scope ${needed}`
  }
  if (principal.kind === 'anonymous') return `a token without a login does not allow to ${what}: log in`
  const advice = advise(principal, action, ownerOf(repository))
  return `${nameOf(principal)} may not ${what} with this token: ${advice}`
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
