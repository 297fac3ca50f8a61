import { describe, expect, test } from 'vitest'
import { formatDuration, formatSize, readDuration, readSize } from './units.ts'

describe('a duration', () => {
  test.each([
    ['250ms', 250],
    ['90s', 90_000],
    ['15m', 900_000],
    ['12h', 43_200_000],
    ['1d', 86_400_000],
    ['60001ms', 60_001],
  ])('is written %s', (text, ms) => {
    expect(readDuration(text)).toBe(ms)
    expect(formatDuration(ms)).toBe(text)
  })

  test('is written in the largest unit that fits', () => {
    expect(readDuration('24h')).toBe(readDuration('1d'))
    expect(formatDuration(7 * 86_400_000)).toBe('7d')
    expect(formatDuration(0)).toBe('0')
  })

  test.each(['', '1', '1w', '-1h', '1.5h', '1h30m', '1 h', 'h', '1H', '24h '])('is not %j', (text) => {
    expect(readDuration(text)).toBeUndefined()
  })
})

describe('a size', () => {
  test.each([
    ['1B', 1],
    ['500MB', 500_000_000],
    ['64KiB', 65_536],
    ['10MiB', 10_485_760],
    ['10GiB', 10_737_418_240],
    ['2TB', 2_000_000_000_000],
    ['1TiB', 1_099_511_627_776],
  ])('is written %s', (text, bytes) => {
    expect(readSize(text)).toBe(bytes)
    expect(formatSize(bytes)).toBe(text)
  })

  test('accepts both spellings of a thousand bytes', () => {
    expect([readSize('5kB'), readSize('5KB')]).toEqual([5_000, 5_000])
  })

  test.each(['', '1', '1G', '1Gi', '1.5GiB', '-1MB', '10 MiB', '1mb', 'MiB'])('is not %j', (text) => {
    expect(readSize(text)).toBeUndefined()
  })
})
