import { describe, expect, test } from 'vitest'

import { killAtEach } from './kill-point-rounds.ts'

describe('F3: kill -9 at each call of a push', () => {
  test.each([
    ['after', 'rename'],
    ['before', 'fdatasync'],
  ] as const)(
    'loses nothing acknowledged and leaves nothing behind: %s each %s',
    async (moment, operation) => {
      const report = await killAtEach(operation, moment)
      expect(report.problems).toEqual([])
      expect(report.kills).toBeGreaterThan(0)
    },
  )
})
