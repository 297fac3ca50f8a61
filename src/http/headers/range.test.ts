import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatBlobRange, formatUnsatisfiable, selectRanges } from './range.ts'

const size = 2048

describe('Range', () => {
  test.each([
    ['bytes=0-9', [[0, 9]]],
    ['bytes=500-', [[500, 2047]]],
    ['bytes=-500', [[1548, 2047]]],
    ['bytes=-5000', [[0, 2047]]],
    ['bytes=2000-5000', [[2000, 2047]]],
    ['bytes=2047-2047', [[2047, 2047]]],
    ['BYTES=0-0', [[0, 0]]],
    ['bytes = 0-0', [[0, 0]]],
    [
      'bytes=0-9,20-29',
      [
        [0, 9],
        [20, 29],
      ],
    ],
    [
      'bytes= 20-29 , 0-9',
      [
        [20, 29],
        [0, 9],
      ],
    ],
    [
      'bytes=0-9,10-19',
      [
        [0, 9],
        [10, 19],
      ],
    ],
    [
      'bytes=0-9,,20-29,',
      [
        [0, 9],
        [20, 29],
      ],
    ],
    ['bytes=0-9,5000-6000', [[0, 9]]],
    ['bytes=0-99999999999999999999', [[0, 2047]]],
  ])('selects with %s the ranges %j, in the order asked for', (header, ranges) => {
    expect(selectRanges(header, size)).toEqual({
      kind: 'ranges',
      ranges: ranges.map(([start, end]) => ({ start, end })),
    })
  })

  test.each([
    ['bytes=500-0'],
    ['bytes=2048-'],
    ['bytes=5000-10000'],
    ['bytes=-0'],
    ['bytes=0-9,9-0'],
    ['bytes=3000-3001,4000-'],
  ])('is unsatisfiable with %s', (header) => {
    expect(selectRanges(header, size)).toEqual({ kind: 'unsatisfiable' })
  })

  test.each([
    [undefined],
    [''],
    ['bytes'],
    ['bytes='],
    ['bytes=,'],
    ['bytes=-'],
    ['bytes=a-b'],
    ['bytes=0-9,x'],
    ['bytes=0-9-10'],
    ['items=0-9'],
    ['0-9'],
    ['bytes=0-,0-,0-'],
    [`bytes=${Array.from({ length: 101 }, (_, i) => `${i * 2}-${i * 2}`).join(',')}`],
  ])('is ignored as %s', (header) => {
    expect(selectRanges(header, size)).toEqual({ kind: 'whole' })
  })

  test('takes a hundred ranges at once', () => {
    const header = `bytes=${Array.from({ length: 100 }, (_, i) => `${i * 2}-${i * 2}`).join(',')}`
    expect(selectRanges(header, size)).toMatchObject({ ranges: { length: 100 } })
  })

  test('leaves an empty blob whole, unless a range is the wrong way round', () => {
    expect(selectRanges('bytes=0-', 0)).toEqual({ kind: 'whole' })
    expect(selectRanges('bytes=-5', 0)).toEqual({ kind: 'whole' })
    expect(selectRanges('bytes=5-0', 0)).toEqual({ kind: 'unsatisfiable' })
  })

  test('never selects a byte that does not exist, nor more bytes than there are', () => {
    const spec = fc.stringMatching(/^\d{0,5}-\d{0,5}$/)
    const header = fc.oneof(
      fc.string(),
      fc.array(spec, { maxLength: 120 }).map((specs) => `bytes=${specs.join(',')}`),
    )
    fc.assert(
      fc.property(header, fc.nat({ max: 70_000 }), (text, blobSize) => {
        const selection = selectRanges(text, blobSize)
        if (selection.kind !== 'ranges') return
        expect(selection.ranges.length).toBeGreaterThan(0)
        let total = 0
        for (const { start, end } of selection.ranges) {
          expect(start).toBeGreaterThanOrEqual(0)
          expect(end).toBeGreaterThanOrEqual(start)
          expect(end).toBeLessThan(blobSize)
          total += end - start + 1
        }
        expect(total).toBeLessThanOrEqual(blobSize)
      }),
    )
  })
})

describe('Content-Range of a reply', () => {
  test('names first byte, last byte and size', () => {
    expect(formatBlobRange({ start: 0, end: 9 }, size)).toBe('bytes 0-9/2048')
    expect(formatUnsatisfiable(size)).toBe('bytes */2048')
  })
})
