/**
 * Simulated power cuts: the data folder is on its own file system; while clients push, the registry is stopped, the image is
 * copied in the state of the device, and a registry on the copy must serve everything that was acknowledged. The device is
 * assumed to keep the data sent to it, flushed or not: a disk that loses its cache is not simulated.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import type { LoopMount } from '../support/faults/loop-mount.ts'
import { mountCopy, mountNew } from '../support/faults/loop-mount.ts'
import { cutPower } from '../support/faults/power-cut.ts'
import { findViolations, Ledger } from '../support/uploads/ledger.ts'
import { startPushers } from '../support/uploads/pushers.ts'
import type { SeededRandom } from '../support/content/seeded-random.ts'
import { createRandom } from '../support/content/seeded-random.ts'
import { startRegistry, type RunningRegistry } from '../support/processes/start-registry.ts'
import { cleanData, compareData } from '../support/processes/stopped-data.ts'

export interface CutReport {
  readonly rounds: number
  readonly acknowledged: number
  readonly checkedPaths: number
  /** The faults, as sentences. */
  readonly problems: readonly string[]
}

export type SkippedSyncs = 'metadata' | 'blobs'

interface CutOptions {
  readonly rounds: number
  readonly seed: number
  /** The syncs to disable, for a control run. */
  readonly skippedSyncs?: SkippedSyncs
}

const imageMiB = 384
const pushersAtOnce = 6
/** The number of acknowledged changes before the cut, and the longest time after the last of them. */
const cut = { earliest: 60, latest: 250, laterMs: 40 }
/**
 * A control is cut before the log has 1,000 pages, at which a checkpoint syncs it. The kernel may still write everything back
 * when other programs fill the page cache: then the next cut is the control.
 */
const controlCut = { earliest: 20, latest: 40, laterMs: 0 }
const mostControlCuts = 6

/** Cuts the power this many times, each time with a registry on a new disk. */
export async function cutPowerRounds(options: CutOptions): Promise<CutReport> {
  const random = createRandom(options.seed)
  const all = new Ledger()
  const problems: string[] = []
  for (let round = 0; round < options.rounds; round += 1) {
    const ledger = new Ledger()
    problems.push(...(await cutPowerOnce({ ...options, ledger, random, owner: `round${round}` })))
    all.add(ledger)
  }
  return {
    rounds: options.rounds,
    acknowledged: all.acknowledged,
    checkedPaths: all.paths.length,
    problems,
  }
}

/** Cuts the power without these syncs until a cut loses something; the last report has the loss, if any. */
export async function cutPowerWithout(skippedSyncs: SkippedSyncs, seed: number): Promise<CutReport> {
  for (let attempt = 1; ; attempt += 1) {
    const report = await cutPowerRounds({ rounds: 1, seed: seed + attempt, skippedSyncs })
    if (report.problems.length > 0 || attempt === mostControlCuts) return report
  }
}

interface CutRound extends CutOptions {
  readonly ledger: Ledger
  readonly random: SeededRandom
  readonly owner: string
}

async function cutPowerOnce(round: CutRound): Promise<readonly string[]> {
  await using disk = await mountNew(imageMiB)
  const copy = await pushUntilCut(disk, round)
  await using after = await mountCopy(copy)
  return await checkAfterCut(join(after.path, 'data'), round)
}

async function pushUntilCut(disk: LoopMount, round: CutRound): Promise<string> {
  const { ledger, random, owner } = round
  await using registry = await startRegistry({
    dataDir: join(disk.path, 'data'),
    env: controlEnvironment(round.skippedSyncs),
  })
  await using pushers = startPushers({
    url: registry.url,
    ledger,
    random: random.fork(),
    pushers: pushersAtOnce,
    owner,
  })
  const { earliest, latest, laterMs } = round.skippedSyncs === undefined ? cut : controlCut
  await pushers.acknowledged(random.integer(earliest, latest))
  await sleep(random.integer(0, laterMs))
  const copy = await cutPower(registry, disk, () => pushers.expectLoss())
  await pushers.done
  return copy
}

function controlEnvironment(skipped: CutOptions['skippedSyncs']): Record<string, string> {
  if (skipped === undefined) return {}
  const preload = new URL('../support/faults/skip-syncs.ts', import.meta.url).href
  return { NODE_OPTIONS: `--import=${preload}`, SKIPPED_SYNCS: skipped }
}

/** Finds the loss in a control. Without its syncs a registry may lose so much that it refuses to start. */
async function findLossOfControl(dataDir: string, ledger: Ledger): Promise<readonly string[]> {
  let registry: RunningRegistry
  try {
    registry = await startRegistry({ dataDir })
  } catch (error) {
    const { message } = error as Error
    if (message.includes('Nothing was changed')) return [`the start is refused: ${message}`]
    throw error
  }
  await using started = registry
  return await findViolations(started.url, ledger)
}

async function checkAfterCut(
  dataDir: string,
  { ledger, skippedSyncs }: CutRound,
): Promise<readonly string[]> {
  if (skippedSyncs !== undefined) return await findLossOfControl(dataDir, ledger)
  await using registry = await startRegistry({ dataDir })
  const violations = await findViolations(registry.url, ledger)
  await registry.stop()
  await cleanData(dataDir)
  return [...violations, ...(await compareData(dataDir))]
}
