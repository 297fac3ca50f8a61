/**
 * Which repositories a grant or an access token reaches: a full name in which `*` stands for any characters within a
 * component and `**` as a whole component for any number of components, at least one at the end. Everything else stands for itself.
 * `acme/**` is all of acme, `acme/web/*` what is directly below, `acme/*-test` by the end of the name.
 */
import { OciError } from '../oci/oci-error.ts'
import { quote } from '../oci/quote.ts'

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

// As long as names: with a bound for both, matching is bounded too.
const maxCharacters = 255
const componentPattern = /^[a-z0-9._*-]+$/

/** Throws `PatternInvalidError`, which says what to write. */
export function parseRepositoryPattern(text: string): RepositoryPattern {
  const fault = findFault(text)
  if (fault !== undefined) throw new PatternInvalidError(text, fault)
  return text as RepositoryPattern
}

/** The full one of what a grant says relative to its owner; too long after a rename, it reaches nothing. */
export function patternBelow(owner: string, pattern: string): RepositoryPattern {
  return `${owner}/${pattern}` as RepositoryPattern
}

/**
 * The owner that a pattern names, and the rest; an owner alone is all of it. Throws `PatternInvalidError` where the
 * owner is left open.
 */
export function splitPattern(text: string): { readonly owner: string; readonly pattern: string } {
  const full = parseRepositoryPattern(text.includes('/') ? text : `${text}/**`)
  const slash = full.indexOf('/')
  const owner = full.slice(0, slash)
  if (!owner.includes('*')) return { owner, pattern: full.slice(slash + 1) }
  throw new PatternInvalidError(text, 'it has to name one owner; write <owner>/**, for example acme/web/**')
}

function findFault(text: string): string | undefined {
  if (text === '') return 'it is empty; write <owner>/**, or ** for everything'
  if (text.length > maxCharacters) {
    return `it has ${text.length} characters, at most ${maxCharacters} are allowed`
  }
  for (const component of text.split('/')) {
    if (component === '') return 'it has an empty component; use single slashes, none at the start or the end'
    if (!componentPattern.test(component)) {
      return `${quote(component)} has characters that no repository has; only * and ** stand for others`
    }
    if (component.includes('**') && component !== '**') {
      return `${quote(component)} has ** beside other characters; write ** as a whole component, * within one`
    }
  }
  return undefined
}

/** Prepares a pattern for many names. Time grows with the length of the name times that of the pattern at most. */
export function compilePattern(pattern: RepositoryPattern): (name: string) => boolean {
  if (!pattern.includes('*')) return (name) => name === pattern
  const literal = pattern.slice(0, pattern.indexOf('*'))
  if (isWholeBelow(pattern, literal))
    return (name) => name.length > literal.length && name.startsWith(literal)
  const components = pattern.split('/')
  return (name) => name.startsWith(literal) && matchesSequence(name.split('/'), components)
}

/** Whether it is all that starts with `literal`, a folder. */
export function isWholeBelow(pattern: string, literal: string): boolean {
  return pattern === `${literal}**` && (literal === '' || literal.endsWith('/'))
}

/** Whether all repositories of the owner are reached, those that come too. */
export function coversOwner(pattern: RepositoryPattern, owner: string): boolean {
  const [first = '', ...rest] = pattern.split('/')
  if (first === '**') return rest.every((component) => component === '**')
  return rest.length > 0 && rest.every((component) => component === '**') && matchesText(owner, first)
}

/** At the end `**` stands for one component at least. */
function matchesSequence(name: readonly string[], pattern: readonly string[]): boolean {
  const wanted = pattern.at(-1) === '**' ? [...pattern, '*'] : pattern
  return matches(name, wanted, { wild: '**', fits: matchesText })
}

/** Within one component. */
function matchesText(text: string, pattern: string): boolean {
  return matches(text, pattern, { wild: '*', fits: (character, wanted) => character === wanted })
}

interface Rules {
  /** Stands for any number of items. */
  readonly wild: string
  readonly fits: (item: string, wanted: string) => boolean
}

/**
 * Item by item: where one does not fit, the last wild one takes one item more. What came before that needs no other try,
 * because its first fit leaves most to the rest.
 */
function matches(items: ArrayLike<string>, pattern: ArrayLike<string>, { wild, fits }: Rules): boolean {
  let at = 0
  let part = 0
  let retryPart = -1
  let retryAt = -1
  while (at < items.length) {
    const wanted = pattern[part]
    if (wanted === wild) {
      retryPart = part++
      retryAt = at
    } else if (wanted !== undefined && fits(items[at] ?? '', wanted)) {
      at++
      part++
    } else if (retryPart === -1) return false
    else {
      part = retryPart + 1
      at = ++retryAt
    }
  }
  while (pattern[part] === wild) part++
  return part === pattern.length
}
