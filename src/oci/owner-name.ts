/** Names of owners, users and organizations: the first component of every repository name. */
import { quote } from './quote.ts'

/** First path components that this server uses itself: an owner of that name would hide a page or an endpoint. */
const reservedNames: ReadonlySet<string> = new Set([
  'api',
  'v2',
  'assets',
  'healthz',
  'readyz',
  'metrics',
  '-',
])

/** Leaves room for the image in a repository name of 255 characters. */
const maxCharacters = 100

// Matches in linear time: no character starts both a separator and a run of letters and digits.
const componentPattern = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/

export function isReservedOwner(name: string): boolean {
  return reservedNames.has(name)
}

export function explainReserved(name: string): string {
  return `the owner name ${quote(name)} is reserved for paths of this server; choose another one`
}

/** Why this cannot be the name of a new owner, and how to write one; `undefined` if it can. */
export function findOwnerFault(name: string): string | undefined {
  if (name.length > maxCharacters) return `it has more than ${maxCharacters} characters`
  if (name.includes('/')) return 'it has a slash'
  if (isReservedOwner(name)) return explainReserved(name)
  return findComponentFault(name)
}

/**
 * Like `findNewOwnerFault`, for a user. Explanations of access call clients without a login `anonymous`, so no user may have that
 * name.
 */
export function findUserFault(name: string): string | undefined {
  if (name === 'anonymous') return 'it is reserved for clients without a login; choose another name'
  return findOwnerFault(name)
}

/** Team names follow the same rules, but none is reserved: they are not part of repository paths. */
export function findTeamFault(name: string): string | undefined {
  if (name.length > maxCharacters) return `it has more than ${maxCharacters} characters`
  return findComponentFault(name)
}

export function findComponentFault(component: string): string | undefined {
  if (component === '') return 'it has an empty component; use single slashes, none at the start or the end'
  if (componentPattern.test(component)) return undefined
  if (/[A-Z]/.test(component)) return `${quote(component)} has upper-case letters; write it in lower case`
  return (
    `${quote(component)} may hold lower-case letters and digits, with ".", "_", "__" or dashes between them, ` +
    'for example my-team/web.app'
  )
}
