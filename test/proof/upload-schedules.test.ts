import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { runSchedule, schedules, type Met } from '../crash/upload-schedules.ts'
import { UploadWorld } from '../crash/upload-world.ts'
import { chooseSeed } from '../support/content/seeded-random.ts'
import { report } from './report.ts'

const seed = chooseSeed()
const worlds = 4
const schedulesEach = 2_500

async function prove(world: number, met: Met): Promise<void> {
  await using opened = await UploadWorld.open()
  const property = fc.asyncProperty(schedules, (steps) => runSchedule(opened, steps, met))
  await fc.assert(property, { seed: seed + world, numRuns: schedulesEach, endOnFailure: true })
}

test(`F3: 10,000 schedules of two processes leave no blob that differs from its digest (LADING_TEST_SEED=${seed})`, async () => {
  const name = 'upload-schedules'
  const claim = `Two processes over one data folder upload by random schedules of chunks, streams, closing PUTs, cancels and
pushes, with bodies that break off or stand still, disks that hang in any call and go on later, takeovers and kills.
After every step no committed file differs from the digest in its name and every acknowledged blob has its bytes. At
the end of each schedule both processes push everything again and succeed.`
  await report({ name, claim }, async (note) => {
    const met: Met = { acknowledged: 0, refused: 0, kills: 0, hangs: 0 }
    try {
      await Promise.all(Array.from({ length: worlds }, (_, world) => prove(world, met)))
    } finally {
      note({
        seed,
        schedules: worlds * schedulesEach,
        'acknowledged blobs': met.acknowledged,
        'requests refused': met.refused,
        'calls made to hang or fail': met.hangs,
        kills: met.kills,
      })
    }
    expect(met.acknowledged).toBeGreaterThan(worlds * schedulesEach)
    expect(Math.min(met.refused, met.hangs, met.kills)).toBeGreaterThan(1_000)
  })
})
