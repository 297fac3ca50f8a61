/** Entity tags of single resources and the conditions on them (RFC 9110, 8.8.3 and 13.1). */
import { hash } from 'node:crypto'
import { ApiError } from '../errors/api-error.ts'

/** Of the representation, so that it changes with whatever a client could have seen. */
export function entityTag(json: string): string {
  return `"${hash('sha256', json, 'base64url').slice(0, 27)}"`
}

/** Strong comparison: a weak tag never matches. Throws `ApiError` (412). */
export function checkIfMatch(header: string, tag: string): void {
  if (names(header, tag)) return
  throw new ApiError('PRECONDITION_FAILED', {
    message: `what If-Match names was changed since, its entity tag is ${tag} now: read it again and repeat the change`,
  })
}

export function isUnchanged(ifNoneMatch: string | undefined, tag: string): boolean {
  return ifNoneMatch !== undefined && names(ifNoneMatch.replaceAll('W/', ''), tag)
}

function names(header: string, tag: string): boolean {
  return header.split(',').some((part) => part.trim() === tag || part.trim() === '*')
}
