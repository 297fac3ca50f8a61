/** `Content-Range` of upload chunks and `Range` of upload replies (distribution-spec end-5, end-6, end-13). */
import { quote } from '../../oci/quote.ts'
import { RequestRefusedError } from '../errors.ts'

export interface ContentRange {
  readonly start: number
  /** The last byte, inclusive. */
  readonly end: number
}

const pattern = /^(\d{1,15})-(\d{1,15})$/

/** Parses `<first>-<last>` without a unit, as the spec defines it. Throws code `BLOB_UPLOAD_INVALID`. */
export function parseContentRange(text: string): ContentRange {
  const match = pattern.exec(text)
  const start = Number(match?.[1])
  const end = Number(match?.[2])
  if (match !== null && start <= end) return { start, end }
  throw new RequestRefusedError('BLOB_UPLOAD_INVALID', {
    message: `Content-Range ${quote(text)} is invalid: write <first byte>-<last byte>, for example 0-1023`,
    detail: { contentRange: text.slice(0, 100) },
  })
}

export function formatContentRange({ start, end }: ContentRange): string {
  return `${start}-${end}`
}

/**
 * Formats the range that a session has received. Docker rejects `0--1` and a missing header, so an empty session looks
 * like a session with one byte.
 */
export function formatReceivedRange(offset: number): string {
  return formatContentRange({ start: 0, end: Math.max(0, offset - 1) })
}
