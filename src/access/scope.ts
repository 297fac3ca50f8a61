/**
 * Access scopes of Docker's token flow: `repository:<name>:pull,push`, `registry:catalog:*`. Names are kept as they
 * were asked for; whether one is a repository name, and what of the scope is granted, is the policy's to say.
 */
import type { RepositoryName } from '../oci/repository-name.ts'

export interface Scope {
  readonly type: 'repository' | 'registry'
  readonly name: string
  /** Sorted, each once; empty: asked for and not granted. */
  readonly actions: readonly string[]
  /** In a bearer token: the actions that were asked for and not granted, so that asking again is of no use. */
  readonly refused?: readonly string[]
}

/** A token for more is asked for by nobody honest, and each repository costs a query. */
const maxScopes = 100
/** There are pull, push, delete and `*`. The bound keeps it cheap to join scopes of one name that ask for thousands. */
const maxActions = 16
const actionPattern = /^(?:[a-z]+|\*)$/
const namePattern = /^[A-Za-z0-9._:/-]{1,300}$/

/**
 * One scope or several, separated by spaces, in one text or many: equal types and names are one scope with all their
 * actions. What is no scope this registry knows is left out: a token request is never refused for its scopes.
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

/** `repository:acme/web:pull,push`; as a challenge and the answer of a token request write it. */
export function formatScope({ type, name, actions }: Scope): string {
  return `${type}:${name}:${actions.join(',')}`
}

/** Whether a bearer token that carries `scopes` reaches so far; without a token (`undefined`) nothing is bounded. */
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

/** The name may hold a colon (host:port), so the first and the last one separate; a class `(...)` says nothing here. */
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
