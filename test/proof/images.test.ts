import { expect, test } from 'vitest'

import type { ImageRun, Phase } from '../../bench/images/measure.ts'
import { compareImages, defaultComparison, versionsOf } from '../../bench/images/program.ts'
import type { Figures } from './report.ts'
import { report } from './report.ts'

const { images, processes, clients } = defaultComparison

test(`${images} images pushed by ${processes} processes of real clients come back unchanged`, async () => {
  const name = 'images'
  const claim = `${images} images of five layers (64 KiB to 1 MiB, half of the images on shared bases) are pushed by ${processes} processes of real
clients at a time and pulled back by as many into empty folders: every manifest, config and layer has its digest and its bytes.
So with everyone allowed to push, with a user who logs in for every image, and for Distribution beside them in the same run, in
turns; stores are empty and images fresh in each. CPU is user and system time. Run on the built program by \`npm run bench -- images\`.`
  await report({ name, claim }, async (note) => {
    note({ clients: (await versionsOf(clients)).join(', ') })
    const runs = await compareImages(defaultComparison)
    for (const [index, run] of runs.entries()) note(figuresOf(run, index + 1))
    expect(runs.flatMap(({ problems }) => problems)).toEqual([])
    expect(runs.map(({ intact }) => intact)).toEqual(runs.map(() => images))
  })
})

function figuresOf({ title, push, pull, flushSeconds, peakRssMiB, intact }: ImageRun, turn: number): Figures {
  return {
    [`turn ${turn}: ${title}`]:
      `push ${formatPhase(push)}, then ${flushSeconds.toFixed(1)} s until all is on the disk; pull ${formatPhase(pull)}; ` +
      `${peakRssMiB.toFixed(0)} MiB of memory at most; ${intact} images intact`,
  }
}

function formatPhase({ wallSeconds, serverCpuSeconds, clientCpuSeconds }: Phase): string {
  return `${wallSeconds.toFixed(1)} s, CPU ${serverCpuSeconds.toFixed(1)} s (clients ${clientCpuSeconds.toFixed(1)} s)`
}
