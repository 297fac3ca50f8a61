/** Kills the registry with `kill -9` at random points of parallel pushes, round after round on one data folder. */
import { setTimeout as sleep } from 'node:timers/promises'

import { findViolations, Ledger } from '../support/uploads/ledger.ts'
import { startPushers } from '../support/uploads/pushers.ts'
import type { SeededRandom } from '../support/content/seeded-random.ts'
import { createRandom } from '../support/content/seeded-random.ts'
import { startRegistry } from '../support/processes/start-registry.ts'
import { cleanData, compareData } from '../support/processes/stopped-data.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'

export interface KillReport {
  readonly rounds: number
  /** The number of changes acknowledged before a kill. */
  readonly acknowledged: number
  /** The number of paths requested afterwards, including those of unanswered requests. */
  readonly checkedPaths: number
  /** The number of upload sessions that a kill left behind. */
  readonly brokenUploads: number
  /** The number of storage keys that a kill left without a row. */
  readonly sweptKeys: number
  /** The faults, as sentences; empty when there are none. */
  readonly problems: readonly string[]
}

const pushersAtOnce = 8
/** The latest kill: this many acknowledgements after the start, and this much later. */
const latestKill = { changes: 120, ms: 40 }

/** Stops at the first round with a problem. */
export async function killRounds(options: {
  readonly rounds: number
  readonly seed: number
}): Promise<KillReport> {
  const random = createRandom(options.seed)
  await using folder = await tempFolder('lading-kill')
  const all = new Ledger()
  const left = { brokenUploads: 0, sweptKeys: 0 }
  const problems: string[] = []
  let rounds = 0
  while (rounds < options.rounds && problems.length === 0) {
    const ledger = await pushUntilKilled(folder.path, random, `round${rounds}`)
    // In every other round a registry starts on the folder before it is cleaned, in the state that the kill left.
    if (rounds % 2 === 0) problems.push(...(await checkServed(folder.path, ledger)))
    const { endedUploads, sweptKeys } = await cleanData(folder.path)
    left.brokenUploads += endedUploads
    left.sweptKeys += sweptKeys
    problems.push(...(await compareData(folder.path)))
    if (rounds % 2 === 1) problems.push(...(await checkServed(folder.path, ledger)))
    all.add(ledger)
    rounds += 1
  }
  if (problems.length === 0) problems.push(...(await checkServed(folder.path, all)))
  return { rounds, acknowledged: all.acknowledged, checkedPaths: all.paths.length, ...left, problems }
}

async function pushUntilKilled(dataDir: string, random: SeededRandom, owner: string): Promise<Ledger> {
  const ledger = new Ledger()
  await using registry = await startRegistry({ dataDir })
  await using pushers = startPushers({
    url: registry.url,
    ledger,
    random: random.fork(),
    pushers: pushersAtOnce,
    owner,
  })
  await pushers.acknowledged(random.integer(0, latestKill.changes))
  await sleep(random.integer(0, latestKill.ms))
  pushers.expectLoss()
  await registry.kill('SIGKILL')
  await pushers.done
  return ledger
}

async function checkServed(dataDir: string, ledger: Ledger): Promise<readonly string[]> {
  await using registry = await startRegistry({ dataDir })
  const violations = await findViolations(registry.url, ledger)
  await registry.stop()
  return violations
}
