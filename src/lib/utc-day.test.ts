import { expect, test } from 'vitest'
import { dayOf, formatDay, parseDay } from './utc-day.ts'

test('a day is written and read back', () => {
  const ms = Date.UTC(2026, 1, 28, 23, 59, 59)
  expect(formatDay(ms)).toBe('2026-02-28')
  expect(parseDay('2026-02-28')).toBe(dayOf(ms))
})

test.each(['2026-02-30', '2026-2-3', '2026-13-01', 'today', '', '2026-02-28T00'])(
  '%j is not a day',
  (text) => {
    expect(parseDay(text)).toBeUndefined()
  },
)
