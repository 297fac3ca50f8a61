import { expect, test } from 'vitest'

import { databaseFull, noInodes, spaceLeft, storeFull, takeSteps } from '../crash/full-disk-rounds.ts'
import { steps } from '../crash/full-disk-steps.ts'
import type { Figures } from './report.ts'
import { report } from './report.ts'

const kibibyte = 1024
const upTo = (most: number): number[] =>
  Array.from({ length: most / 16 + 1 }, (_, index) => index * 16 * kibibyte)

test('each step of a push on a nearly full disk succeeds or is refused, and loses nothing', async () => {
  const name = 'full-disk'
  const claim = `${steps.length} steps of uploads, manifests, deletions and cancels, each on ext4 of 64 MiB in a loop-mounted image that was filled up
just before. A step is taken, or refused with 507 and a text that says why and what to do; a refused one has changed nothing.
Without space everything that was acknowledged is served with the right bytes. As soon as there is space the same step succeeds,
without a restart, and at the end the files of the store and the rows are compared. A cut log has no room of its own, a stretched
one has a megabyte: the two states in which a full disk meets the database.`
  await report({ name, claim }, async (note) => {
    const scarcities = [
      ...upTo(256).map((bytes) => spaceLeft(bytes, 'cut')),
      ...upTo(128).map((bytes) => spaceLeft(bytes, 'stretched')),
      noInodes,
      storeFull,
      databaseFull,
    ]
    const refusals = new Map<string, number>()
    let readings = 0
    for (const scarcity of scarcities) {
      const taken = await takeSteps(steps, scarcity)
      const refused = taken.steps.filter(({ status }) => status === 507)
      for (const { step } of refused) refusals.set(step, (refusals.get(step) ?? 0) + 1)
      note({ [scarcity.name]: `${refused.length} of ${steps.length} refused` })
      readings += taken.readings
    }
    note(countByStep(refusals, scarcities.length))
    note({ 'paths read without space, all right': readings })
    expect([...refusals.keys()].toSorted()).toEqual(steps.map((step) => step.name).toSorted())
  })
})

function countByStep(refusals: ReadonlyMap<string, number>, rounds: number): Figures {
  return Object.fromEntries(
    steps.map((step) => [
      step.name,
      `refused ${refusals.get(step.name) ?? 0} times of ${rounds}, then taken`,
    ]),
  )
}
