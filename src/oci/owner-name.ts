/** Names of owners, users and organizations: the first component of every repository name. */
import { quote } from './quote.ts'

/** First components under which this server answers itself, so that no page or endpoint can be shadowed. */
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

// Linear: no character can start both a separator and a run of letters and digits.
const componentPattern = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/

export function isReservedOwner(name: string): boolean {
  return reservedNames.has(name)
}

export function explainReserved(name: string): string {
  return `the owner ${quote(name)} is reserved, this server uses paths that start with it; choose another owner`
}

/** Why this cannot be the name of a new owner, and how to write it; `undefined` when it can. */
export function findOwnerFault(name: string): string | undefined {
  if (name.length > maxCharacters) return `it has more than ${maxCharacters} characters`
  if (name.includes('/')) return 'it has a slash'
  if (isReservedOwner(name)) return explainReserved(name)
  return findComponentFault(name)
}

/**
 * The same for the name of a user. Explanations of rights call clients without a login `anonymous`, so that a user of that
 * name would get theirs.
 */
export function findUserFault(name: string): string | undefined {
  if (name === 'anonymous') return 'it stands for clients without a login; choose another name'
  return findOwnerFault(name)
}

/** Teams are written like owners, and nothing is reserved: they stand in no path of a repository. */
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
