/** Runs `wrk` for one measurement and reads its report. wrk cannot send HEAD: it waits for the body. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { run } from '../../scripts/run-command.ts'
import type { Sample } from '../sample.ts'
import type { SmallLoad } from './small-requests.ts'

const rotateScript = join(import.meta.dirname, 'rotate.lua')
const unitMs: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 }

export function hasWrk(): boolean {
  return spawnSync('wrk', ['--version']).error === undefined
}

/** Runs the load with wrk. Throws when a request failed or its status was not 2xx: such a rate means nothing. */
export async function measureWithWrk(load: SmallLoad): Promise<Sample> {
  const folder = mkdtempSync(join(tmpdir(), 'lading-wrk-'))
  try {
    const paths = join(folder, 'paths')
    writeFileSync(paths, `${load.paths.join('\n')}\n`)
    const seconds = `${Math.max(Math.round(load.durationMs / 1000), 1)}s`
    const flags = ['-t1', `-c${load.connections}`, `-d${seconds}`, '--latency', '-s', rotateScript]
    const command = ['wrk', ...flags, load.baseUrl, '--', paths, load.accept, load.authorization ?? '']
    const { ok, output, reason } = await run(command, { capture: true })
    if (!ok) throw new Error(`wrk ended with ${reason}: ${output}`)
    return parseReport(output)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function parseReport(output: string): Sample {
  const failure = /^ *(Non-2xx or 3xx responses|Socket errors): .*$/m.exec(output)?.[0]
  if (failure !== undefined) throw new Error(`wrk: ${failure.trim()}`)
  const count = Number(/^ *(\d+) requests in/m.exec(output)?.[1])
  const rate = Number(/^Requests\/sec: *([\d.]+)/m.exec(output)?.[1])
  if (!(count > 0) || !(rate > 0)) throw new Error(`wrk reported no requests: ${output}`)
  return { rate, count, p50Ms: percentileMs(output, 50), p99Ms: percentileMs(output, 99) }
}

function percentileMs(output: string, percent: number): number {
  const [, value, unit = ''] = new RegExp(`^ *${percent}% +([\\d.]+)(us|ms|s|m)$`, 'm').exec(output) ?? []
  return Number(value) * (unitMs[unit] ?? Number.NaN)
}
