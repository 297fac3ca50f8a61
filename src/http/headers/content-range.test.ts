import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RequestRefusedError } from '../errors.ts'
import type { ContentRange } from './content-range.ts'
import { formatContentRange, formatReceivedRange, parseContentRange } from './content-range.ts'

function attempt(text: string): ContentRange | undefined {
  try {
    return parseContentRange(text)
  } catch (error) {
    if (error instanceof RequestRefusedError) return undefined
    throw error
  }
}

describe('Content-Range of a chunk', () => {
  test.each([
    ['0-0', { start: 0, end: 0 }],
    ['0-1023', { start: 0, end: 1023 }],
    ['1024-2047', { start: 1024, end: 2047 }],
    ['000-007', { start: 0, end: 7 }],
  ])('reads %s', (text, range) => {
    expect(parseContentRange(text)).toEqual(range)
  })

  test.each([
    '',
    '-',
    '5-',
    '-5',
    '5-4',
    'bytes 0-5',
    'bytes=0-5',
    '0-5/10',
    '0 - 5',
    ' 0-5',
    '0-5,6-7',
    '0x0-0x5',
    '0-1e3',
    '-1-5',
    '0-9999999999999999',
    '٠-٥',
  ])('refuses %j with BLOB_UPLOAD_INVALID', (text) => {
    expect(() => parseContentRange(text)).toThrow(expect.objectContaining({ code: 'BLOB_UPLOAD_INVALID' }))
  })

  test('reads back what it writes', () => {
    const offset = fc.integer({ min: 0, max: 999_999_999_999_999 })
    fc.assert(
      fc.property(offset, offset, (a, b) => {
        const range = { start: Math.min(a, b), end: Math.max(a, b) }
        expect(parseContentRange(formatContentRange(range))).toEqual(range)
      }),
    )
  })

  test('either reads a text as two numbers in order or refuses it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d\- ]*$/)), (text) => {
        const range = attempt(text)
        expect(range === undefined || (range.start <= range.end && Number.isSafeInteger(range.end))).toBe(
          true,
        )
      }),
    )
  })
})

describe('Range of an upload reply', () => {
  test.each([
    [0, '0-0'],
    [1, '0-0'],
    [2, '0-1'],
    [1024, '0-1023'],
  ])('shows %i bytes as %s', (offset, text) => {
    expect(formatReceivedRange(offset)).toBe(text)
  })
})
