import { expect, test } from 'vitest'

import { cutPowerRounds, cutPowerWithout } from '../crash/power-cut-rounds.ts'
import { chooseSeed } from '../support/content/seeded-random.ts'
import { report } from './report.ts'

const seed = chooseSeed()

test(`5 power cuts during pushes lose nothing acknowledged, and without a sync they do (LADING_TEST_SEED=${seed})`, async () => {
  const name = 'power-cut'
  const claim = `The data folder lies on ext4 in a loop-mounted image. While six clients push, the server is stopped, the image
is copied as the device has it at that moment, and a server starts on the copy after its journal was replayed. Every
acknowledged change is there and whole. In the control runs the syncs of the metadata log, or those of the blobs, do
nothing: they must lose something, or the method would prove nothing. The device is taken to keep all it was sent; a
disk that loses its own cache is not simulated.`
  await report({ name, claim }, async (note) => {
    const { problems, ...found } = await cutPowerRounds({ rounds: 5, seed })
    note({
      seed,
      cuts: found.rounds,
      'acknowledged changes': found.acknowledged,
      'paths checked': found.checkedPaths,
      problems: problems.length,
    })
    for (const skippedSyncs of ['metadata', 'blobs'] as const) {
      const control = await cutPowerWithout(skippedSyncs, seed)
      note({
        [`control without the syncs of the ${skippedSyncs}: lost or damaged paths`]: `${control.problems.length} of ${control.checkedPaths}`,
      })
      expect(control.problems.length).toBeGreaterThan(0)
    }
    expect(problems).toEqual([])
  })
})
