/**
 * @module `npm run bench`: measures Lading and its peers in the same run, in alternating rounds, and prints a table of medians
 * and ratios. Ratios of different runs are comparable, absolute figures are not. See README.md.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { coldStartProgram, coldStartUsage } from './cold-start/program.ts'
import { costsOf, credentialScenarios, formatCosts, startWithCredentials } from './credentials.ts'
import { imagesProgram, imagesUsage } from './images/program.ts'
import type { BenchOptions } from './options.ts'
import { parseOptions, usage } from './options.ts'
import { runningTarget, startDistribution, startLading } from './peers.ts'
import { peakRssMiB, processCost } from './process-stats.ts'
import type { MemoryUse } from './report.ts'
import { formatMemory, formatTable, writeResults } from './report.ts'
import type { ScenarioResult } from './rounds.ts'
import { measureScenario } from './rounds.ts'
import { hasWrk } from './load/wrk.ts'
import { profileProgram, profileUsage } from './profile/program.ts'
import type { Scenario } from './scenarios.ts'
import { chooseScenarios } from './scenarios.ts'
import { seed } from './seed.ts'
import type { SeededTarget, Target } from './target.ts'

/** The programs that are not scenarios, by the word that starts them. */
const programs: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  'cold-start': coldStartProgram,
  images: imagesProgram,
  profile: profileProgram,
}

/** The wait before memory is measured: V8 collects garbage of a load when the process is idle. */
const idleMs = 30_000

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(`${usage}\n\n${imagesUsage}\n\n${coldStartUsage}\n\n${profileUsage}`)
    return 0
  }
  const [word = '', ...rest] = args
  return await (programs[word]?.(rest) ?? compareScenarios(parseOptions(args)))
}

async function compareScenarios(options: BenchOptions): Promise<number> {
  const isCredentialRun = options.auth && options.scenarios.length === 0
  const chosen = chooseScenarios(isCredentialRun ? credentialScenarios : options.scenarios)
  await using cleanup = new AsyncDisposableStack()
  const { subject, peers } = await openAll(options, { cleanup, chosen })
  const seeded = [subject, ...peers].map((target) => ({ target, seededMiB: rssOf(target) }))
  const settings = { ...options, useWrk: options.useWrk && hasWrk() }
  const results: ScenarioResult[] = []
  const failures: string[] = []
  for (const scenario of chosen) {
    try {
      results.push(await measureScenario(scenario, { subject, peers, rounds: options.rounds, settings }))
      console.error(`\n${formatTable(results.slice(-1))}`)
    } catch (error) {
      failures.push(`${scenario.title}: ${String(error)}`)
      console.error(`\nFAILED ${failures.at(-1)}`)
    }
  }
  const memory = await memoryUses(seeded)
  console.log(`\n${formatTable(results)}\n\n${formatMemory(memory)}`)
  if (options.auth) console.log(`\n${formatCosts(results)}`)
  if (options.name !== undefined)
    console.log(
      `\nkept in ${writeResults({ results: results.map(withCosts(options)), memory }, { ...options, ...settings })}`,
    )
  for (const failure of failures) console.error(`FAILED ${failure}`)
  return failures.length === 0 ? 0 : 1
}

interface Seeded {
  readonly target: Target
  readonly seededMiB: number
}

/** Returns the memory of the processes on this machine; targets with different credentials share one process. */
async function memoryUses(seeded: readonly Seeded[]): Promise<readonly MemoryUse[]> {
  const pids = seeded.map(({ target }) => target.pid)
  const afterLoad = seeded.map(({ target }) => rssOf(target))
  await sleep(idleMs)
  return seeded.flatMap(({ target, seededMiB }, index) => {
    const { name, pid } = target
    if (pid === undefined || pids.indexOf(pid) !== index) return []
    return [
      {
        name,
        seededMiB,
        afterLoadMiB: afterLoad[index] ?? Number.NaN,
        idleMiB: rssOf(target),
        peakMiB: peakRssMiB(pid),
      },
    ]
  })
}

function rssOf({ pid }: Target): number {
  return (pid === undefined ? undefined : processCost(pid)?.rssMiB) ?? Number.NaN
}

function withCosts({ auth }: BenchOptions): (result: ScenarioResult) => ScenarioResult {
  return (result) => (auth ? { ...result, credentials: costsOf(result) } : result)
}

interface Opened {
  readonly subject: SeededTarget
  readonly peers: readonly SeededTarget[]
}

async function openAll(
  options: BenchOptions,
  { cleanup, chosen }: { readonly cleanup: AsyncDisposableStack; readonly chosen: readonly Scenario[] },
): Promise<Opened> {
  if (options.auth) {
    const { anonymous, users } = cleanup.use(await startWithCredentials(options))
    return { subject: anonymous, peers: users }
  }
  const targets = await openTargets(options, cleanup)
  const [subject, ...peers] = await seedAll(targets, options, chosen)
  if (subject === undefined) throw new Error('no registry was given to measure')
  return { subject, peers }
}

/** Opens the targets, the subject first. */
async function openTargets(options: BenchOptions, cleanup: AsyncDisposableStack): Promise<Target[]> {
  const subject =
    options.subject === undefined ? cleanup.use(await startLading(options)) : runningTarget(options.subject)
  const distribution = options.startDistribution ? [cleanup.use(await startDistribution())] : []
  return [subject, ...distribution, ...options.peers.map(runningTarget)]
}

async function seedAll(
  targets: readonly Target[],
  options: BenchOptions,
  chosen: readonly Scenario[],
): Promise<SeededTarget[]> {
  const seeded: SeededTarget[] = []
  for (const target of targets) {
    console.error(`seeding ${target.name} at ${target.url}`)
    const smallBlobs = chosen.some(({ id }) => id === 'blob-get-wide')
    const isLargeRead = chosen.some(({ id }) => id === 'large-get')
    const largeBytes = isLargeRead ? options.downloadBytes : 1024 * 1024
    seeded.push(await seed(target, { largeBytes, smallBlobs }))
  }
  return seeded
}
