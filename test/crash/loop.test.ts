import { expect, test } from 'vitest'

import { loopRows } from '../support/loop/rows.ts'
import { runLoop } from '../support/loop/run-loop.ts'
import { hundredthRows } from '../support/loop/sizes.ts'

test('each row of the event-loop proof succeeds with a hundredth of its data', async () => {
  const { results } = await runLoop(hundredthRows)
  const problems = results.flatMap(({ what, problem }) =>
    problem === undefined ? [] : [`${what}: ${problem}`],
  )
  expect(problems).toEqual([])
  expect(results.map(({ what }) => what)).toEqual(loopRows.map(({ what }) => what))
  for (const { waits, rssPeakMiB } of results) {
    expect(waits.requests).toBeGreaterThan(1)
    expect(rssPeakMiB).toBeGreaterThan(10)
  }
})
