import { expect, test } from 'vitest'

import { killAtEach } from '../crash/kill-point-rounds.ts'
import { report } from './report.ts'

const operations = ['open', 'write', 'fsync', 'fdatasync', 'rename'] as const
const moments = ['before', 'after'] as const

test('F3: kill -9 before and after each call of a push loses nothing acknowledged', async () => {
  const name = 'kill-each-call'
  const claim = `A push of four blobs, each in another way, two images, a tag that moves and goes; one run for each call to the file system that
the server makes for it, killed with SIGKILL at that call, over one data folder. The next start serves everything acknowledged
and nothing that nobody offered, and after cleaning without grace the store holds the files of the blob rows and nothing else.`
  await report({ name, claim }, async (note) => {
    let acknowledged = 0
    for (const operation of operations) {
      for (const moment of moments) {
        const found = await killAtEach(operation, moment)
        note({ [`kills ${moment} a call of ${operation}`]: found.kills })
        acknowledged += found.acknowledged
        expect(found.problems).toEqual([])
        expect(found.kills).toBeGreaterThan(0)
      }
    }
    note({ 'acknowledged changes': acknowledged })
  })
})
