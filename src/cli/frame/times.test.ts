import { describe, expect, test } from 'vitest'
import { parseDuration, parseExpiry } from './times.ts'

describe('a time on the command line', () => {
  test.each([
    ['90s', 90_000],
    ['30m', 1_800_000],
    ['12h', 43_200_000],
    ['90d', 7_776_000_000],
    ['0', 0],
  ])('is %s', (text, expected) => {
    expect(parseDuration('--overlap', text)).toBe(expected)
  })

  test.each(['', '1', '1w', '-1h', '1.5h', '1h30m', '100000d', 'h'])('is not %j', (text) => {
    expect(() => parseDuration('--overlap', text)).toThrow('--overlap takes a time')
  })

  test('is a time from now, or a date', () => {
    expect(parseExpiry('--expires', '1h', 1_000)).toBe(3_601_000)
    expect(parseExpiry('--expires', '2030-12-31', 0)).toBe(Date.UTC(2030, 11, 31))
    expect(parseExpiry('--expires', '2030-12-31T08:30Z', 0)).toBe(Date.UTC(2030, 11, 31, 8, 30))
  })

  test.each(['', 'tomorrow', '2030', '2030-13-01', '31.12.2030', '2030-12-31T08:30'])(
    'does not end %j',
    (text) => {
      expect(() => parseExpiry('--expires', text, 0)).toThrow('--expires takes a time')
    },
  )
})
