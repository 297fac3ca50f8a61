import { expect, test } from 'vitest'

import { killRounds } from '../crash/kill-rounds.ts'
import { chooseSeed } from '../support/content/seeded-random.ts'
import { report } from './report.ts'

const seed = chooseSeed()

test(`F3, F10: 100 kills during pushes lose nothing acknowledged and leave nothing behind (LADING_TEST_SEED=${seed})`, async () => {
  const name = 'kill-points'
  const claim = `Eight clients push, move tags and delete without a pause; the server is killed with SIGKILL at a random
point, 100 times over one data folder. After each kill every acknowledged manifest, tag and blob is served whole,
every acknowledged deletion is still deleted, whatever else is served has the right digest, and after ending sessions
and sweeping without grace the store holds the files of the blob rows and nothing else.`
  await report({ name, claim }, async (note) => {
    const { problems, ...found } = await killRounds({ rounds: 100, seed })
    note({
      seed,
      kills: found.rounds,
      'acknowledged changes': found.acknowledged,
      'paths checked': found.checkedPaths,
      'upload sessions broken by a kill': found.brokenUploads,
      'storage keys left without a row, swept': found.sweptKeys,
      problems: problems.length,
    })
    expect(problems).toEqual([])
    expect(found.brokenUploads + found.sweptKeys).toBeGreaterThan(0)
  })
})
