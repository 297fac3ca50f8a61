import { OciError } from './oci-error.ts'
import { quote } from './quote.ts'

/** `<owner>/<image>[/<more>]` in the grammar of the distribution-spec, at most 255 characters, owner not reserved. */
export type RepositoryName = string & { readonly __brand: 'RepositoryName' }

export class NameInvalidError extends OciError {
  override readonly name = 'NameInvalidError'
  readonly code = 'NAME_INVALID'
  readonly detail: { readonly name: string; readonly reason: string }
  constructor(text: string, reason: string, options?: ErrorOptions) {
    super(`repository name ${quote(text)} is invalid: ${reason}`, options)
    this.detail = { name: text.slice(0, maxNameCharacters).toWellFormed(), reason }
  }
}

// Longer names break many clients (distribution-spec, pulling manifests).
const maxNameCharacters = 255

/** First components under which this server answers itself, so that no page or endpoint can be shadowed. */
const reservedOwners: ReadonlySet<string> = new Set(['api', 'v2', 'assets', 'healthz', 'readyz', 'metrics'])

// Linear: no character can start both a separator and a run of letters and digits.
const componentPattern = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/

/** Throws `NameInvalidError`; its message names the faulty component and shows how to write it. */
export function parseRepositoryName(text: string): RepositoryName {
  const reason = findFault(text)
  if (reason !== undefined) throw new NameInvalidError(text, reason)
  return text as RepositoryName
}

/** The first component: a user or an organisation. */
export function ownerOf(name: RepositoryName): string {
  return name.slice(0, name.indexOf('/'))
}

function findFault(text: string): string | undefined {
  if (text === '') return 'it is empty; write <owner>/<image>, for example library/hello'
  if (text.length > maxNameCharacters) {
    return `it has ${text.length} characters, at most ${maxNameCharacters} are allowed; choose a shorter name`
  }
  const components = text.split('/')
  for (const component of components) {
    const reason = findComponentFault(component)
    if (reason !== undefined) return reason
  }
  const [owner = '', image] = components
  if (image === undefined) {
    return `it has no owner; write <owner>/<image>, for example library/${owner}`
  }
  if (reservedOwners.has(owner)) {
    return `the owner ${quote(owner)} is reserved, this server uses paths that start with it; choose another owner`
  }
  return undefined
}

function findComponentFault(component: string): string | undefined {
  if (component === '') return 'it has an empty component; use single slashes, none at the start or the end'
  if (componentPattern.test(component)) return undefined
  if (/[A-Z]/.test(component)) return `${quote(component)} has upper-case letters; write it in lower case`
  return (
    `${quote(component)} may hold lower-case letters and digits, with ".", "_", "__" or dashes between them, ` +
    'for example my-team/web.app'
  )
}
