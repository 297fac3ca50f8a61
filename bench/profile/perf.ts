/** Measures where a process spends its time, including the kernel, with Linux's `perf` from outside the process. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../../scripts/run-command.ts'
import { tempFolder } from '../../test/support/processes/temp-folder.ts'

/** The share of a function; functions without samples are left out, and shares add up to about 1. */
export interface FunctionShare {
  readonly share: number
  /** The file of the code: `[kernel.kallsyms]`, a library, or code that was compiled at run time. */
  readonly object: string
  readonly symbol: string
}

/** An option for the process's `NODE_OPTIONS`: writes the names of code that V8 compiles to a file that perf finds. */
export const namesOfCompiledCode = '--perf-basic-prof-only-functions'

/** Profiles all threads of a process while `work` runs. Throws when perf is missing or not permitted. */
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
