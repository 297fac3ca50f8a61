/** Byte ranges of a GET (RFC 9110, 14). */
import type { ByteRange } from '../../registry/blobs.ts'

export type RangeSelection =
  | { readonly kind: 'whole' }
  | { readonly kind: 'unsatisfiable' }
  | { readonly kind: 'ranges'; readonly ranges: readonly ByteRange[] }

/**
 * The most ranges in one request: partial image pulls request up to 60. With more, the header is ignored, as the RFC
 * allows.
 */
const maxRanges = 100

const whole: RangeSelection = { kind: 'whole' }
const unsatisfiable: RangeSelection = { kind: 'unsatisfiable' }
const specPattern = /^(\d*)-(\d*)$/

/**
 * Returns the ranges that a `Range` header selects from a blob of `size` bytes. They keep the order of the request and
 * are never joined, because clients match the parts to their request by position. A header with another syntax is
 * ignored. A last byte before the first is deliberately unsatisfiable (the conformance suite counts a whole reply as a
 * skip). Overlapping ranges that together exceed the blob are ignored too.
 */
export function selectRanges(header: string | undefined, size: number): RangeSelection {
  if (header === undefined || !/^bytes\s*=/i.test(header)) return whole
  const specs = header
    .slice(header.indexOf('=') + 1)
    .split(',', maxRanges + 1)
    .map((spec) => spec.trim())
    .filter((spec) => spec !== '')
  if (specs.length === 0 || specs.length > maxRanges) return whole
  const ranges: ByteRange[] = []
  for (const spec of specs) {
    const range = selectRange(spec, size)
    if (range === 'invalid') return whole
    if (range === 'reversed') return unsatisfiable
    if (range !== 'beyond') ranges.push(range)
  }
  // An empty blob has no byte to select, and many clients send `bytes=0-` with every request.
  if (size === 0) return whole
  if (ranges.length === 0) return unsatisfiable
  const total = ranges.reduce((sum, { start, end }) => sum + end - start + 1, 0)
  return total > size ? whole : { kind: 'ranges', ranges }
}

function selectRange(spec: string, size: number): ByteRange | 'invalid' | 'reversed' | 'beyond' {
  const match = specPattern.exec(spec)
  if (match === null || spec === '-') return 'invalid'
  const [, first = '', last = ''] = match
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? 'beyond' : { start: size - length, end: size - 1 }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return 'reversed'
  if (start >= size) return 'beyond'
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) }
}

/** Formats the `Content-Range` of a 206 or of one of its parts. */
export function formatBlobRange({ start, end }: ByteRange, size: number): string {
  return `bytes ${start}-${end}/${size}`
}

/** Formats the `Content-Range` of a 416. */
export function formatUnsatisfiable(size: number): string {
  return `bytes */${size}`
}
