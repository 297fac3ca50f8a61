/**
 * @module `npm run bench -- cold-start`: measures the time from the start of the process to its first response, with one
 * repository and with 100,000, for the build and for the sources, in alternating rounds; and the first start on an empty folder.
 */
import { parseArgs } from 'node:util'

import { ask } from '../../test/support/http/client.ts'
import { anImageManifest, pushImage } from '../../test/support/content/manifests.ts'
import type { StartOptions } from '../../test/support/processes/start-registry.ts'
import { startRegistry } from '../../test/support/processes/start-registry.ts'
import { tempFolder } from '../../test/support/processes/temp-folder.ts'
import { positive } from '../options.ts'
import { buildOnce, startDistribution } from '../peers.ts'
import { processCost } from '../process-stats.ts'
import { align, writeDocument } from '../report.ts'
import { median } from '../sample.ts'
import { multiplyRepository } from './seed-rows.ts'

export const coldStartUsage = `npm run bench -- cold-start [options]
  --repositories <n>        how many the registry holds (repeatable; default 1 and 100000)
  --rounds <n>              starts of each kind, in turns (default 7)
  --start-distribution      Distribution's start on an empty folder beside them
  --name                    as above`

interface Case {
  readonly title: string
  readonly goalMs: number | undefined
  start(): Promise<Start>
}

interface Start {
  /** The time from the start of the process to its first response. */
  readonly ms: number
  /** The user and system time of the process until then: a busy machine changes it little. */
  readonly cpuMs: number
}

interface StartTimes {
  readonly title: string
  readonly goalMs: number | undefined
  readonly medianMs: number
  readonly medianCpuMs: number
  readonly starts: readonly Start[]
}

const goals = { dist: 500, source: 1000 } as const
const repository = 'cold/app'
const tag = 'v1'

/** Runs the program. Returns the exit code: 1 when a median is above its goal. */
export async function coldStartProgram(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      repositories: { type: 'string', multiple: true, default: ['1', '100000'] },
      rounds: { type: 'string', default: '7' },
      'start-distribution': { type: 'boolean', default: false },
      name: { type: 'string' },
    },
  })
  const rounds = positive('--rounds', values.rounds)
  const counts = values.repositories.map((text) => positive('--repositories', text))
  await buildOnce()
  await using cleanup = new AsyncDisposableStack()
  const cases = [...(await registryCases(counts, cleanup)), firstStart()]
  if (values['start-distribution']) cases.push(distributionStart())
  const times = await measureCases(cases, rounds)
  console.log(formatTimes(times))
  if (values.name !== undefined) {
    console.log(`\nkept in ${writeDocument(values.name, { settings: { rounds, counts }, starts: times })}`)
  }
  return times.every(({ medianMs, goalMs }) => goalMs === undefined || medianMs <= goalMs) ? 0 : 1
}

/** Measures the cases. The first round does not count: it fills Node's compile cache and the system's page cache. */
async function measureCases(cases: readonly Case[], rounds: number): Promise<readonly StartTimes[]> {
  const measured: Start[][] = cases.map(() => [])
  for (let round = 0; round <= rounds; round += 1) {
    for (let turn = 0; turn < cases.length; turn += 1) {
      const index = (round + turn) % cases.length
      const start = await cases[index]?.start()
      if (start !== undefined && round > 0) measured[index]?.push(start)
    }
  }
  return cases.map(({ title, goalMs }, index) => {
    const starts = measured[index] ?? []
    const medianMs = median(starts.map(({ ms }) => ms))
    return { title, goalMs, medianMs, medianCpuMs: median(starts.map(({ cpuMs }) => cpuMs)), starts }
  })
}

async function registryCases(counts: readonly number[], cleanup: AsyncDisposableStack): Promise<Case[]> {
  const cases: Case[] = []
  for (const count of counts) {
    const dataDir = cleanup.use(await tempFolder('lading-data')).path
    await fillFolder(dataDir, count)
    for (const from of ['dist', 'source'] as const) {
      cases.push({
        title: `${from}, ${count.toLocaleString('en')} ${count === 1 ? 'repository' : 'repositories'}: manifest GET`,
        goalMs: goals[from],
        start: () => timeStart({ from, dataDir }, `/v2/${repository}/manifests/${tag}`),
      })
    }
  }
  return cases
}

async function fillFolder(dataDir: string, count: number): Promise<void> {
  await using registry = await startRegistry({ from: 'dist', dataDir })
  await pushImage(`${registry.url}/v2/${repository}`, anImageManifest({ layers: 2 }), { reference: tag })
  await registry.stop()
  multiplyRepository(dataDir, count)
}

/** The start that a new user sees: schema, signing keys and administrator are created, and Node's compile cache is empty. */
function firstStart(): Case {
  return {
    title: 'dist, nothing there yet: GET /v2/',
    goalMs: undefined,
    async start() {
      await using cache = await tempFolder('node-compile-cache')
      return await timeStart({ from: 'dist', env: { NODE_COMPILE_CACHE: cache.path } }, '/v2/')
    },
  }
}

function distributionStart(): Case {
  return {
    title: 'Distribution, nothing there yet: GET /v2/ (within 10 ms)',
    goalMs: undefined,
    async start() {
      const startedAt = performance.now()
      await using target = await startDistribution()
      return { ms: performance.now() - startedAt, cpuMs: cpuMsOf(target.pid) }
    },
  }
}

/** Measures one start. Throws when the status is not 200: a registry that cannot serve yet has not started. */
async function timeStart(options: StartOptions, path: string): Promise<Start> {
  const startedAt = performance.now()
  await using registry = await startRegistry(options)
  const { status } = await ask(`${registry.url}${path}`)
  const start = { ms: performance.now() - startedAt, cpuMs: cpuMsOf(registry.pid) }
  if (status !== 200) throw new Error(`the first response to GET ${path} was ${status}`)
  await registry.stop()
  return start
}

function cpuMsOf(pid: number | undefined): number {
  return ((pid === undefined ? undefined : processCost(pid)?.cpuSeconds) ?? Number.NaN) * 1000
}

function formatTimes(times: readonly StartTimes[]): string {
  const rows = times.map(({ title, goalMs, medianMs, medianCpuMs, starts }) => [
    title,
    `${medianMs.toFixed(0)} ms`,
    formatRange(starts.map(({ ms }) => ms)),
    `${medianCpuMs.toFixed(0)} ms`,
    goalMs === undefined ? '' : `${goalMs} ms: ${medianMs <= goalMs ? 'holds' : 'MISSED'}`,
  ])
  return align([['start to first answer', 'median', 'all', 'CPU', 'goal'], ...rows]).join('\n')
}

function formatRange(values: readonly number[]): string {
  return `${Math.min(...values).toFixed(0)}-${Math.max(...values).toFixed(0)}`
}
