/**
 * @module `npm run bench -- profile`: the server's cost of one operation of each scenario, for all threads, by area. Each
 * scenario has its own registry, newly started and seeded. Needs `perf` (Debian: linux-perf).
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { findFreePort } from '../../test/support/processes/free-port.ts'
import { tempFolder } from '../../test/support/processes/temp-folder.ts'
import type { SmallLoad } from '../load/small-requests.ts'
import { measureWithWrk } from '../load/wrk.ts'
import { positive } from '../options.ts'
import { startLading } from '../peers.ts'
import { processCost } from '../process-stats.ts'
import { align, writeDocument } from '../report.ts'
import type { Sample } from '../sample.ts'
import type { LoadSettings, Scenario } from '../scenarios.ts'
import { chooseScenarios } from '../scenarios.ts'
import { seed } from '../seed.ts'
import type { Area } from './areas.ts'
import { areas, sharesByArea } from './areas.ts'
import { namesOfCompiledCode, profileDuring } from './perf.ts'

export const profileUsage = `npm run bench -- profile [options]
  --seconds <n>             length of the measurement of small requests or pushes (default 5)
  --scenario, --name        as above`

interface Profiled {
  readonly id: string
  readonly title: string
  readonly operations: number
  /** The user and system time of all threads per operation. */
  readonly cpuUs: number
  /** The same time by area. */
  readonly byArea: Readonly<Partial<Record<Area, number>>>
}

const mebibyte = 1024 * 1024

export async function profileProgram(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '5' },
      scenario: { type: 'string', multiple: true, default: [] },
      name: { type: 'string' },
    },
  })
  const settings: LoadSettings = {
    connections: 16,
    durationMs: positive('--seconds', values.seconds) * 1000,
    uploadBytes: 256 * mebibyte,
    useWrk: true,
  }
  const profiled = values.scenario.length === 0 ? [await profileBareServer(settings)] : []
  for (const scenario of chooseScenarios(values.scenario)) {
    console.error(scenario.title)
    profiled.push(await profileScenario(scenario, settings))
  }
  console.log(formatProfiles(profiled))
  if (values.name !== undefined) {
    console.log(`\nkept in ${writeDocument(values.name, { settings, profiles: profiled })}`)
  }
  return 0
}

/** Profiles the bare server, the lower limit for small requests. */
async function profileBareServer({ connections, durationMs }: LoadSettings): Promise<Profiled> {
  const port = await findFreePort()
  // V8 also writes a log beside the names.
  await using folder = await tempFolder('bench-bare')
  const program = [join(import.meta.dirname, 'bare-server.ts'), String(port)]
  const server = spawn(process.execPath, [namesOfCompiledCode, ...program], {
    cwd: folder.path,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { pid } = server
  try {
    await once(server.stdout, 'data')
    if (pid === undefined) throw new Error('the bare server did not start')
    const load: SmallLoad = {
      baseUrl: `http://127.0.0.1:${port}`,
      method: 'GET',
      paths: ['/'],
      accept: '*/*',
      connections,
      durationMs,
    }
    return await profileTwice({ pid, id: 'bare', title: 'node:http alone, 1 KiB' }, () =>
      measureWithWrk(load),
    )
  } finally {
    server.kill('SIGKILL')
  }
}

async function profileScenario(scenario: Scenario, settings: LoadSettings): Promise<Profiled> {
  await using lading = await startLading({ from: 'dist', env: { NODE_OPTIONS: namesOfCompiledCode } })
  const { pid } = lading
  if (pid === undefined) throw new Error('the registry has no process here')
  const target = await seed(lading, {
    largeBytes: scenario.id === 'large-get' ? 1024 * mebibyte : mebibyte,
    smallBlobs: scenario.id === 'blob-get-wide',
  })
  const { id, title } = scenario
  return await profileTwice({ pid, id, title }, () => scenario.measure(target, settings))
}

/** Profiles the second run only: during the first, code is compiled. */
async function profileTwice(
  { pid, id, title }: Pick<Profiled, 'id' | 'title'> & { readonly pid: number },
  measure: () => Promise<Sample>,
): Promise<Profiled> {
  await measure()
  const before = cpuSeconds(pid)
  const { functions, result } = await profileDuring(pid, measure)
  const cpuUs = ((cpuSeconds(pid) - before) * 1e6) / result.count
  const perOperation = [...sharesByArea(functions)].map(([area, share]) => [area, share * cpuUs])
  return {
    id,
    title,
    operations: result.count,
    cpuUs,
    byArea: Object.fromEntries(perOperation) as Profiled['byArea'],
  }
}

function cpuSeconds(pid: number): number {
  return processCost(pid)?.cpuSeconds ?? Number.NaN
}

/** Formats the profiles, in microseconds per operation. */
function formatProfiles(profiled: readonly Profiled[]): string {
  const head = ['us per operation', 'in all', ...areas]
  const rows = profiled.map(({ title, cpuUs, byArea }) => [
    title,
    ...[cpuUs, ...areas.map((area) => byArea[area] ?? 0)].map(formatUs),
  ])
  return align([head, ...rows]).join('\n')
}

function formatUs(us: number): string {
  return us >= 100 ? us.toFixed(0) : us.toFixed(1)
}
