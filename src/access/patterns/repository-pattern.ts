/**
 * Patterns select the repositories that a grant or an access token covers. A pattern is a full name in which `*` matches any
 * characters within a component. `**` as a whole component matches any number of components; at the end, at least one. All other
 * characters match themselves. `acme/**` matches everything in acme, `acme/web/*` everything directly below `acme/web`, and
 * `acme/*-test` names that end in `-test`.
 */
import { OciError } from '../../oci/oci-error.ts'
import { quote } from '../../oci/quote.ts'
import { PatternAutomaton } from './pattern-automaton.ts'

export type RepositoryPattern = string & { readonly __brand: 'RepositoryPattern' }

export class PatternInvalidError extends OciError {
  override readonly name = 'PatternInvalidError'
  readonly code = 'NAME_INVALID'
  readonly detail: { readonly pattern: string; readonly reason: string }
  constructor(text: string, reason: string, options?: ErrorOptions) {
    super(`pattern ${quote(text)} is invalid: ${reason}`, options)
    this.detail = { pattern: text.slice(0, maxCharacters).toWellFormed(), reason }
  }
}

// The same limit as for names: with both bounded, the cost of matching is bounded too.
const maxCharacters = 255
// More than anyone needs to select some of an owner's repositories.
const maxWildcards = 32
const componentPattern = /^[a-z0-9._*-]+$/

/** Throws `PatternInvalidError`, which says what to write. */
export function parseRepositoryPattern(text: string): RepositoryPattern {
  const fault = findFault(text)
  if (fault !== undefined) throw new PatternInvalidError(text, fault)
  return text as RepositoryPattern
}

/** The full pattern of a grant, which is relative to its owner. A pattern that a rename made too long matches nothing. */
export function patternBelow(owner: string, pattern: string): RepositoryPattern {
  return `${owner}/${pattern}` as RepositoryPattern
}

/**
 * Parses a pattern of a grant, relative to its owner: `**` matches all of the owner, `web/**` a part. A pattern that starts
 * with the owner's own name is refused, because it probably repeats the owner by mistake; `./acme/web` below `acme` means the
 * repository `acme/acme/web`. Returns the pattern without `./`. Throws `PatternInvalidError`.
 */
export function parsePatternBelow(owner: string, text: string): string {
  const isExplicit = text.startsWith('./')
  const pattern: string = parseRepositoryPattern(isExplicit ? text.slice(2) : text)
  if (!isExplicit && startsWithName(pattern, owner))
    throw new PatternInvalidError(text, hintAt(owner, pattern))
  return pattern
}

/** Returns the spelling that `parsePatternBelow` accepts. */
export function formatPatternBelow(owner: string, pattern: string): string {
  return startsWithName(pattern, owner) ? `./${pattern}` : pattern
}

function startsWithName(pattern: string, owner: string): boolean {
  return pattern === owner || pattern.startsWith(`${owner}/`)
}

function hintAt(owner: string, pattern: string): string {
  const rest = pattern.slice(owner.length + 1) || '**'
  return `it is already relative to ${owner}: write ${rest} for ${owner}/${rest}, or ./${pattern} for ${owner}/${pattern}`
}

function findFault(text: string): string | undefined {
  if (text === '') return 'it is empty; write ** for everything'
  if (text.length > maxCharacters) {
    return `it has ${text.length} characters, at most ${maxCharacters} are allowed`
  }
  const wildcards = text.match(/\*+/g)?.length ?? 0
  if (wildcards > maxWildcards) {
    return `it has ${wildcards} wildcards, at most ${maxWildcards} are allowed; write several patterns instead`
  }
  for (const component of text.split('/')) {
    if (component === '') return 'it has an empty component; use single slashes, none at the start or the end'
    if (!componentPattern.test(component)) {
      return `${quote(component)} has characters that no repository name has; the only wildcards are * and **`
    }
    if (component.includes('**') && component !== '**') {
      return `${quote(component)} has ** beside other characters; write ** as a whole component, * within one`
    }
  }
  return undefined
}

/**
 * Compiles a pattern for many names. Matching reads a name once; a character costs one step per 32 characters of the pattern
 * (`pattern-automaton.ts`).
 */
export function compilePattern(pattern: RepositoryPattern): (name: string) => boolean {
  if (!pattern.includes('*')) return (name) => name === pattern
  const literal = literalPrefix(pattern)
  if (isWholeBelow(pattern, literal))
    return (name) => name.length > literal.length && name.startsWith(literal)
  // Most patterns are never compared with a name that shares their literal prefix.
  let automaton: PatternAutomaton | undefined
  const start = literal.lastIndexOf('/') + 1
  return (name) => {
    if (!name.startsWith(literal)) return false
    automaton ??= new PatternAutomaton(withoutRuns(pattern.slice(start)))
    return automaton.matches(name, start)
  }
}

/** The common beginning of all names that the pattern matches. */
export function literalPrefix(pattern: string): string {
  const star = pattern.indexOf('*')
  return star === -1 ? pattern : pattern.slice(0, star)
}

/** Several `**` in a row mean the same as one. */
function withoutRuns(pattern: string): string {
  return pattern.replaceAll(/\*\*(?:\/\*\*)+/g, '**')
}

/** Whether the pattern matches everything below the folder `literal`. */
export function isWholeBelow(pattern: string, literal: string): boolean {
  return pattern === `${literal}**` && (literal === '' || literal.endsWith('/'))
}

/** Whether the pattern matches all repositories of the owner, including future ones. */
export function coversOwner(pattern: RepositoryPattern, owner: string): boolean {
  const [first = '', ...rest] = pattern.split('/')
  if (first === '**') return rest.every((component) => component === '**')
  return rest.length > 0 && rest.every((component) => component === '**') && matchesText(owner, first)
}

/** Matches text within one component. */
function matchesText(text: string, pattern: string): boolean {
  return pattern.includes('*') ? new PatternAutomaton(pattern).matches(text) : text === pattern
}
