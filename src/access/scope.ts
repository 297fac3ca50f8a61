/**
 * Access scopes of Docker's token flow: `repository:<name>:pull,push`, `registry:catalog:*`. Names are kept as requested; the
 * policy decides whether one is a repository name and which actions it grants.
 */
import type { RepositoryName } from '../oci/repository-name.ts'

export interface Scope {
  readonly type: 'repository' | 'registry'
  readonly name: string
  /** Sorted and unique; empty: requested and not granted. */
  readonly actions: readonly string[]
  /** In a bearer token: the actions that were requested and not granted, so that asking again is pointless. */
  readonly refused?: readonly string[]
}

/** No honest client asks for more, and each repository costs a query. */
const maxScopes = 100
/** The actions are pull, push, delete and `*`. The bound keeps it cheap to join scopes of one name that list thousands. */
const maxActions = 16
const actionPattern = /^(?:[a-z]+|\*)$/
const namePattern = /^[A-Za-z0-9._:/-]{1,300}$/

/**
 * Parses scopes, separated by spaces, in one text or several. Scopes of equal type and name are joined. Unknown scopes are
 * left out: a token request is never refused because of its scopes.
 */
export function parseScopes(texts: string | readonly string[]): Scope[] {
  const byName = new Map<string, ParsedScope>()
  const parts = (typeof texts === 'string' ? [texts] : texts).flatMap((text) => text.split(' '))
  for (const part of parts) {
    const scope = parseScope(part)
    if (scope === undefined) continue
    const key = `${scope.type}:${scope.name}`
    const known = byName.get(key)
    if (known === undefined && byName.size >= maxScopes) continue
    if (known === undefined) byName.set(key, scope)
    else for (const action of scope.actions) addAction(known.actions, action)
  }
  return [...byName.values()].map((scope) => ({ ...scope, actions: [...scope.actions].toSorted() }))
}

/** Formats `repository:acme/web:pull,push`, as in a challenge and the answer to a token request. */
export function formatScope({ type, name, actions }: Scope): string {
  return `${type}:${name}:${actions.join(',')}`
}

/** Whether a bearer token with `scopes` allows the action; without a token (`undefined`), everything. */
export function includesAction(
  scopes: readonly Scope[] | undefined,
  repository: RepositoryName,
  action: string,
): boolean {
  if (scopes === undefined) return true
  return scopes.some(
    (scope) => scope.type === 'repository' && scope.name === repository && scope.actions.includes(action),
  )
}

interface ParsedScope {
  readonly type: Scope['type']
  readonly name: string
  readonly actions: Set<string>
}

/** The name may contain a colon (host:port), so the first and the last colon separate. A class `(...)` has no meaning here. */
function parseScope(text: string): ParsedScope | undefined {
  const first = text.indexOf(':')
  const last = text.lastIndexOf(':')
  if (first === -1 || first === last) return undefined
  const type = text.slice(0, first).replace(/\([a-z0-9]*\)$/, '')
  if (type !== 'repository' && type !== 'registry') return undefined
  const name = text.slice(first + 1, last)
  if (!namePattern.test(name)) return undefined
  const actions = new Set<string>()
  for (const action of text.slice(last + 1).split(',')) {
    if (actionPattern.test(action)) addAction(actions, action)
  }
  return { type, name, actions }
}

function addAction(actions: Set<string>, action: string): void {
  if (actions.size < maxActions) actions.add(action)
}
