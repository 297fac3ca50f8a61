import { expect, test } from 'vitest'

import { chooseSeed } from '../support/content/seeded-random.ts'
import { cutPowerRounds, cutPowerWithout } from './power-cut-rounds.ts'

const seed = chooseSeed()

test(`a power cut during pushes loses nothing acknowledged (LADING_TEST_SEED=${seed})`, async () => {
  const report = await cutPowerRounds({ rounds: 2, seed })
  expect(report.problems).toEqual([])
  expect(report.acknowledged).toBeGreaterThanOrEqual(120)
})

test.each(['metadata', 'blobs'] as const)(
  `a power cut without the syncs of the %s loses something, so the test can detect it (LADING_TEST_SEED=${seed})`,
  async (skippedSyncs) => {
    const report = await cutPowerWithout(skippedSyncs, seed)
    expect(report.problems.length).toBeGreaterThan(0)
  },
)
