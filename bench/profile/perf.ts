/** Where a process spends its time, kernel included, as Linux's `perf` samples it from outside. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../../scripts/run-command.ts'
import { tempFolder } from '../../test/support/temp-folder.ts'

/** Functions without samples are left out; shares add up to about 1. */
export interface FunctionShare {
  readonly share: number
  /** The file of the code: `[kernel.kallsyms]`, a library, or code that was compiled at run time. */
  readonly object: string
  readonly symbol: string
}

/** For `NODE_OPTIONS` of the process: names for what V8 compiles, in a file that perf finds. */
export const namesOfCompiledCode = '--perf-basic-prof-only-functions'

/** Of all threads, while `work` runs. Throws when perf is not there or not allowed. */
export async function profileDuring<T>(
  pid: number,
  work: () => Promise<T>,
): Promise<{ readonly functions: readonly FunctionShare[]; readonly result: T }> {
  await using folder = await tempFolder('bench-perf')
  const data = join(folder.path, 'perf.data')
  const perf = spawn('perf', ['record', '--quiet', '-F', '1999', '-p', String(pid), '-o', data], {
    stdio: 'ignore',
  })
  const ended = once(perf, 'exit')
  const result = await work()
  perf.kill('SIGINT')
  await ended
  const fields = ['--no-children', '-F', 'overhead,dso,sym', '-t', '\t']
  const report = await run(['perf', 'report', '--stdio', '-i', data, ...fields], { capture: true })
  await rm(`/tmp/perf-${pid}.map`, { force: true })
  if (!report.ok) throw new Error(`perf report: ${report.reason}\n${report.output.slice(-2000)}`)
  return { functions: parseReport(report.output), result }
}

function parseReport(text: string): FunctionShare[] {
  return text.split('\n').flatMap((line) => {
    const [overhead = '', object = '', symbol = ''] = line.split('\t').map((cell) => cell.trim())
    if (!/^\d+\.\d+%$/.test(overhead)) return []
    return [{ share: Number.parseFloat(overhead) / 100, object, symbol: symbol.replace(/^\[.\] /, '') }]
  })
}
