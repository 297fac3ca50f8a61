import { expect, test } from 'vitest'

import { runLoop } from '../support/loop/run-loop.ts'
import type { LoopResult } from '../support/loop/run-loop.ts'
import { millionRows } from '../support/loop/sizes.ts'
import type { Figures } from './report.ts'
import { report } from './report.ts'

/** The longest wait of other clients, for 99 of 100 requests. */
const goalP99Ms = 20
/**
 * Caches and buffers use 130 MiB and `limits.replyMemoryBytes` is 256 MiB; the heap and its garbage come on top. 1 GiB is enough
 * for all.
 */
const goalRssMiB = 768

test('no request, list, deletion, search or export over a million rows delays other clients', async () => {
  const name = 'loop'
  const { tags, auditEvents, owners, repositoriesPerOwner, referrers, layeredManifests, layersPerManifest } =
    millionRows
  const claim = `A server of one process over ${tags} tags of one repository, ${auditEvents} audit events, ${owners * repositoriesPerOwner} repositories of ${owners}
owners, ${referrers} referrers of one subject and ${layeredManifests} manifests of ${layersPerManifest} layers. During each row a small request goes out every 5 ms
on a connection and in a thread of its own; a wait counts for each request that would have begun during it. A row holds when the
99th percentile of these waits is below ${goalP99Ms} ms, the resident size of the server (VmHWM) stays below ${goalRssMiB} MiB, and the row is
answered as it should be. "Loop" is the delay that the server's event loop measures of itself.`
  await report({ name, claim }, async (note) => {
    const failed: string[] = []
    const { seedSeconds } = await runLoop(millionRows, (result) => {
      note(figuresOf(result))
      if (!holds(result)) failed.push(result.what)
    })
    note({ 'rows were made in (s)': Math.round(seedSeconds), 'rows that do not hold': failed.length })
    expect(failed).toEqual([])
  })
})

function holds({ problem, waits, rssPeakMiB }: LoopResult): boolean {
  return problem === undefined && waits.p99Ms < goalP99Ms && rssPeakMiB < goalRssMiB
}

function figuresOf(result: LoopResult): Figures {
  const { what, told, problem, seconds, waits, loop, rssBeforeMiB, rssPeakMiB } = result
  const ms = (value: number | undefined): string => (value === undefined ? '-' : value.toFixed(1))
  return {
    [what]: [
      holds(result) ? 'holds' : '**does not hold**',
      `${seconds.toFixed(1)} s`,
      `waits p50 ${ms(waits.p50Ms)}, p99 ${ms(waits.p99Ms)}, max ${ms(waits.maxMs)} ms`,
      `loop p99 ${ms(loop?.p99Ms)}, max ${ms(loop?.maxMs)} ms`,
      `memory ${rssBeforeMiB.toFixed(0)} → ${rssPeakMiB.toFixed(0)} MiB`,
      problem === undefined ? told : problem.replaceAll(/[|\n]/g, ' '),
    ].join('; '),
  }
}
