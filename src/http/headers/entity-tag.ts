/** `ETag` and the conditions built on it (RFC 9110, 8.8.3 and 13.1). The entity tag of content is its digest. */
import type { TagCondition } from '../../registry/manifests/tag-condition.ts'
import { ContentChangedError } from '../errors.ts'

interface ConditionHeaders {
  readonly 'if-match'?: string | undefined
  readonly 'if-none-match'?: string | undefined
}

export interface EntityTag {
  readonly weak: boolean
  readonly value: string
}

/** Matches one entity tag: up to the closing quote or, for clients that omit quotes, up to the next comma. */
const tagPattern = /\s*(W\/)?(?:"([^"]*)"|([^",\s]+))\s*(?:,|$)/y

/** Parses a list of entity tags, quoted or not, or `*`. Text that is not a tag ends the list, because it cannot match. */
export function parseEntityTags(header: string): readonly EntityTag[] | '*' {
  if (header.trim() === '*') return '*'
  const tags: EntityTag[] = []
  tagPattern.lastIndex = 0
  while (tagPattern.lastIndex < header.length) {
    const match = tagPattern.exec(header)
    if (match === null) break
    tags.push({ weak: match[1] !== undefined, value: match[2] ?? match[3] ?? '' })
  }
  return tags
}

export function formatEntityTag(digest: string): string {
  return `"${digest}"`
}

/**
 * Whether a GET or HEAD is answered with 304. `If-Match` is checked first (RFC 9110, 13.2.2). Throws
 * `ContentChangedError` if none of its tags matches the content in a strong comparison.
 */
export function isNotModified(headers: ConditionHeaders, digest: string): boolean {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers
  if (ifMatch !== undefined) {
    const tags = parseEntityTags(ifMatch)
    const holds = tags === '*' || tags.some(({ weak, value }) => !weak && value === digest)
    if (!holds) throw new ContentChangedError(digest)
  }
  if (ifNoneMatch === undefined) return false
  const tags = parseEntityTags(ifNoneMatch)
  return tags === '*' || tags.some(({ value }) => value === digest)
}

/** Whether the ranges of a request still apply: `If-Range` is absent or names this content in a strong comparison. */
export function isRangeCurrent(header: string | readonly string[] | undefined, digest: string): boolean {
  return header === undefined || header === formatEntityTag(digest)
}

/** Parses the condition for writing or deleting a tag. `If-Match` is a strong comparison: weak tags never match. */
export function parseTagCondition(headers: ConditionHeaders): TagCondition | undefined {
  const ifMatch = parseValues(headers['if-match'], ({ weak }) => !weak)
  const ifNoneMatch = parseValues(headers['if-none-match'], () => true)
  if (ifMatch === undefined) return ifNoneMatch && { ifNoneMatch }
  if (ifNoneMatch === undefined) return { ifMatch }
  // Both conditions must hold. If either is `*`, the combination makes no sense, and refusing is safe.
  if (ifMatch === '*' || ifNoneMatch === '*') return { ifMatch: [] }
  return { ifMatch: ifMatch.filter((value) => !ifNoneMatch.includes(value)) }
}

function parseValues(
  header: string | undefined,
  counts: (tag: EntityTag) => boolean,
): readonly string[] | '*' | undefined {
  if (header === undefined) return undefined
  const tags = parseEntityTags(header)
  return tags === '*' ? tags : tags.filter(counts).map(({ value }) => value)
}
