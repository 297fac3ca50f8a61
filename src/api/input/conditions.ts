/** Entity tags of single resources and the conditions on them (RFC 9110, 8.8.3 and 13.1). */
import { hash } from 'node:crypto'
import { ApiError } from '../errors/api-error.ts'

/** Returns the tag of a representation, so that it changes whenever a client would see a difference. */
export function entityTag(content: string | Uint8Array): string {
  return `"${hash('sha256', content, 'base64url').slice(0, 27)}"`
}

/** Compares strongly: a weak tag never matches. Throws `ApiError` (412). */
export function checkIfMatch(header: string, tag: string): void {
  if (names(header, tag)) return
  throw new ApiError('PRECONDITION_FAILED', {
    message: `the resource changed since you read it, and its entity tag is now ${tag}: read it again and repeat the change`,
  })
}

export function isUnchanged(ifNoneMatch: string | undefined, tag: string): boolean {
  return ifNoneMatch !== undefined && names(ifNoneMatch.replaceAll('W/', ''), tag)
}

function names(header: string, tag: string): boolean {
  return header.split(',').some((part) => part.trim() === tag || part.trim() === '*')
}
