/** Plays every script against both registries and compares their replies. */
import { startRegistry } from '../support/processes/start-registry.ts'
import type { Difference } from './compare.ts'
import { compare } from './compare.ts'
import { describeRequest } from './describe.ts'
import { normalise } from './normalise.ts'
import { startDistribution } from '../support/processes/distribution.ts'
import { play } from './play.ts'
import { scripts } from './scenarios/all.ts'
import type { Script } from './step.ts'

export interface Run {
  readonly requests: number
  readonly scripts: number
  readonly differences: readonly Difference[]
}

export async function runDifferences(): Promise<Run> {
  await using distribution = await startDistribution()
  await using lading = await startRegistry({ env: { LADING_AUTH_ANONYMOUS: 'push' } })
  const differences: Difference[] = []
  for (const script of scripts) {
    const [theirs, ours] = await Promise.all([play(distribution.url, script), play(lading.url, script)])
    differences.push(...compareScript(script, theirs, ours))
  }
  const requests = scripts.reduce((sum, { steps }) => sum + steps.length, 0)
  return { requests, scripts: scripts.length, differences }
}

type Answers = Awaited<ReturnType<typeof play>>

function compareScript(script: Script, theirs: Answers, ours: Answers): Difference[] {
  return script.steps.flatMap((step, index) => {
    const [their, our] = [theirs[index], ours[index]]
    if (their === undefined || our === undefined) return []
    const request = describeRequest(step, script)
    return compare(normalise(their), normalise(our)).map((difference) => ({
      script: script.name,
      request,
      ...difference,
    }))
  })
}
