/**
 * @module `npm run bench`: measures Lading and its peers in the same run, in alternating rounds, and prints a
 * table of medians and ratios. Figures of different runs are not comparable, ratios are. See README.md.
 */
import { costsOf, credentialScenarios, formatCosts, startWithCredentials } from './credentials.ts'
import { imagesProgram, imagesUsage } from './images/program.ts'
import type { BenchOptions } from './options.ts'
import { parseOptions, usage } from './options.ts'
import { runningTarget, startDistribution, startLading } from './peers.ts'
import { formatTable, writeResults } from './report.ts'
import type { ScenarioResult } from './rounds.ts'
import { measureScenario } from './rounds.ts'
import { hasWrk } from './load/wrk.ts'
import type { Scenario } from './scenarios.ts'
import { scenarios } from './scenarios.ts'
import { seed } from './seed.ts'
import type { SeededTarget, Target } from './target.ts'

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(`${usage}\n\n${imagesUsage}`)
    return 0
  }
  if (args[0] === 'images') return await imagesProgram(args.slice(1))
  const options = parseOptions(args)
  const isCredentialRun = options.auth && options.scenarios.length === 0
  const chosen = chooseScenarios(isCredentialRun ? credentialScenarios : options.scenarios)
  await using cleanup = new AsyncDisposableStack()
  const { subject, peers } = await openAll(options, { cleanup, chosen })
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
  console.log(`\n${formatTable(results)}`)
  if (options.auth) console.log(`\n${formatCosts(results)}`)
  if (options.name !== undefined)
    console.log(`\nkept in ${writeResults(results.map(withCosts(options)), { ...options, ...settings })}`)
  for (const failure of failures) console.error(`FAILED ${failure}`)
  return failures.length === 0 ? 0 : 1
}

function chooseScenarios(ids: readonly string[]): readonly Scenario[] {
  const unknown = ids.filter((id) => !scenarios.some((scenario) => scenario.id === id))
  if (unknown.length > 0) {
    const known = scenarios.map(({ id }) => id).join(', ')
    throw new Error(`unknown scenario ${unknown.join(', ')}; there are ${known}`)
  }
  return ids.length === 0 ? scenarios : scenarios.filter(({ id }) => ids.includes(id))
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
  if (subject === undefined) throw new Error('there is nothing to measure')
  return { subject, peers }
}

/** The subject first. */
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
