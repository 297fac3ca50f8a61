import { describe, expect, test } from 'vitest'

import { databaseFull, noInodes, spaceLeft, storeFull, takeSteps } from './full-disk-rounds.ts'
import { steps } from './full-disk-steps.ts'

const kibibyte = 1024
const everything = steps.map(({ name }) => name)

async function listRefused(scarcity: Parameters<typeof takeSteps>[1]): Promise<readonly string[]> {
  const taken = await takeSteps(steps, scarcity)
  expect(taken.steps.map(({ step }) => step)).toEqual(everything)
  return taken.steps.filter(({ status }) => status === 507).map(({ step }) => step)
}

describe('A7: each step of a push, with reads during it and a second try when there is space', () => {
  test.each([spaceLeft(0, 'cut'), databaseFull])('is refused with 507: $name', async (scarcity) => {
    expect(await listRefused(scarcity)).toEqual(everything)
  })

  test.each([spaceLeft(8 * kibibyte, 'cut'), spaceLeft(160 * kibibyte, 'cut')])(
    'succeeds or is refused with 507: $name',
    async (scarcity) => {
      expect((await listRefused(scarcity)).length).toBeGreaterThan(0)
    },
  )

  test.each([spaceLeft(0, 'stretched'), storeFull])(
    'is refused with 507 if it sends bytes of a blob: $name',
    async (scarcity) => {
      const refused = await listRefused(scarcity)
      expect(refused).toEqual([
        'end-5: PATCH streams a body',
        'end-5: PATCH sends a chunk',
        'end-6: PUT brings the whole body',
        'end-4b: POST brings the whole blob',
      ])
    },
  )

  test('is refused with 507 if it creates a file: no inode left', async () => {
    const refused = await listRefused(noInodes)
    expect(refused).toEqual([
      'end-5: PATCH streams a body',
      'end-6: PUT brings the whole body',
      'end-4b: POST brings the whole blob',
    ])
  })
})
