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

/** Up to the next quote, or for clients that forget quotes up to the next comma. */
const tagPattern = /\s*(W\/)?(?:"([^"]*)"|([^",\s]+))\s*(?:,|$)/y

/** A list of entity tags, quoted or not, or `*`. What is no tag ends the list: it can match nothing. */
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
 * Whether a GET or HEAD is answered with 304. `If-Match` comes first (RFC 9110, 13.2.2); throws `ContentChangedError`
 * where it names other content, strongly compared.
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

/** Whether the ranges of a request still hold: `If-Range` is absent or names this content, strongly compared. */
export function isRangeCurrent(header: string | readonly string[] | undefined, digest: string): boolean {
  return header === undefined || header === formatEntityTag(digest)
}

/** The condition under which a tag may be written or deleted. `If-Match` compares strongly: weak tags never match. */
export function parseTagCondition(headers: ConditionHeaders): TagCondition | undefined {
  const ifMatch = parseValues(headers['if-match'], ({ weak }) => !weak)
  const ifNoneMatch = parseValues(headers['if-none-match'], () => true)
  if (ifMatch === undefined) return ifNoneMatch && { ifNoneMatch }
  if (ifNoneMatch === undefined) return { ifMatch }
  // Both have to hold; with a `*` on either side nothing sensible is left, and refusing is the safe reading.
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
