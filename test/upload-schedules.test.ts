import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { runSchedule, schedules, type Met } from './crash/upload-schedules.ts'
import { UploadWorld } from './crash/upload-world.ts'
import { chooseSeed } from './support/content/seeded-random.ts'

const seed = chooseSeed()

test(`two processes, hung writers and kills leave no blob that differs from its digest (LADING_TEST_SEED=${seed})`, async () => {
  await using world = await UploadWorld.open()
  const met: Met = { acknowledged: 0, refused: 0, kills: 0, hangs: 0 }
  const property = fc.asyncProperty(schedules, (steps) => runSchedule(world, steps, met))
  // Few, because every run of the unit tests includes them; `npm run proof` runs 10,000.
  await fc.assert(property, { seed, numRuns: 15, endOnFailure: true })
  expect(met.acknowledged).toBeGreaterThan(15)
  expect(met.kills + met.hangs).toBeGreaterThan(0)
  // Schedules wait for hanging work, and a build on the same machine slows them.
}, 60_000)
