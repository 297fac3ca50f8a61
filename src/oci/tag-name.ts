import { OciError } from './oci-error.ts'
import { quote } from './quote.ts'

/** `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`; upper and lower case are different tags. */
export type TagName = string & { readonly __brand: 'TagName' }

export class TagInvalidError extends OciError {
  override readonly name = 'TagInvalidError'
  readonly code = 'TAG_INVALID'
  readonly detail: { readonly tag: string; readonly reason: string }
  constructor(text: string, reason: string, options?: ErrorOptions) {
    super(`tag ${quote(text)} is invalid: ${reason}`, options)
    this.detail = { tag: text.slice(0, maxTagCharacters).toWellFormed(), reason }
  }
}

const maxTagCharacters = 128
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/

/** Throws `TagInvalidError`. */
export function parseTagName(text: string): TagName {
  if (!isTagName(text)) throw new TagInvalidError(text, findFault(text))
  return text
}

export function isTagName(text: string): text is TagName {
  return tagPattern.test(text)
}

function findFault(text: string): string {
  if (text === '') return 'it is empty; name a tag, for example latest'
  if (text.length > maxTagCharacters) {
    return `it has ${text.length} characters, at most ${maxTagCharacters} are allowed; choose a shorter tag`
  }
  if (/^[.-]/.test(text)) return 'it starts with "." or "-"; start it with a letter, a digit or "_"'
  return 'it may hold letters, digits, "_", "." and "-" only, for example v1.2.3-rc_1'
}
