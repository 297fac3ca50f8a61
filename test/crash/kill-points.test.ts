import { expect, test } from 'vitest'

import { chooseSeed } from '../support/content/seeded-random.ts'
import { killRounds } from './kill-rounds.ts'

const seed = chooseSeed()

test(`F3, F10: kill -9 during pushes loses nothing acknowledged and leaves nothing behind (LADING_TEST_SEED=${seed})`, async () => {
  const report = await killRounds({ rounds: 15, seed })
  expect(report.problems).toEqual([])
  // A run without pushes or interrupted uploads would prove nothing.
  expect(report.acknowledged).toBeGreaterThan(300)
  expect(report.brokenUploads + report.sweptKeys).toBeGreaterThan(0)
})
