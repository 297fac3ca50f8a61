import { OciError } from './oci-error.ts'
import { explainReserved, findComponentFault, isReservedOwner } from './owner-name.ts'
import { quote } from './quote.ts'

/** `<owner>/<image>[/<more>]` in the grammar of the distribution-spec, at most 255 characters, owner not reserved. */
export type RepositoryName = string & { readonly __brand: 'RepositoryName' }

export class NameInvalidError extends OciError {
  override readonly name = 'NameInvalidError'
  readonly code = 'NAME_INVALID'
  readonly detail: { readonly name: string; readonly reason: string }
  constructor(text: string, reason: string, options?: ErrorOptions) {
    super(`repository name ${quote(text)} is invalid: ${reason}`, options)
    this.detail = { name: text.slice(0, maxRepositoryNameCharacters).toWellFormed(), reason }
  }
}

// Longer names break many clients (distribution-spec, pulling manifests).
export const maxRepositoryNameCharacters = 255

/** Throws `NameInvalidError`; its message names the faulty component and shows how to write it. */
export function parseRepositoryName(text: string): RepositoryName {
  const reason = findFault(text)
  if (reason !== undefined) throw new NameInvalidError(text, reason)
  return text as RepositoryName
}

/** `undefined` if the text is not a repository name. */
export function findRepositoryName(text: string): RepositoryName | undefined {
  return findFault(text) === undefined ? (text as RepositoryName) : undefined
}

/** The first component: a user or an organisation. */
export function ownerOf(name: RepositoryName): string {
  return name.slice(0, name.indexOf('/'))
}

function findFault(text: string): string | undefined {
  if (text === '') return 'it is empty; write <owner>/<image>, for example library/hello'
  if (text.length > maxRepositoryNameCharacters) {
    return `it has ${text.length} characters, at most ${maxRepositoryNameCharacters} are allowed; choose a shorter name`
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
  return isReservedOwner(owner) ? explainReserved(owner) : undefined
}
