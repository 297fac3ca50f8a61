/**
 * Runs the steps of `steps.ts` one after another, continues after a failure, and ends with `N passed, N failed`: the tests of a
 * step that runs vitest count one by one, every other step counts as one.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../run-command.ts'
import type { CommandResult } from '../run-command.ts'
import { outcomePathVariable } from './outcome-reporter.ts'
import type { TestOutcome } from './outcome-reporter.ts'
import { steps } from './steps.ts'
import type { Step } from './steps.ts'

interface Outcome {
  readonly name: string
  readonly passed: number
  readonly failed: number
  readonly failures: readonly string[]
  readonly seconds: number
  readonly note: string
}

const reporters = ['--reporter=default', `--reporter=${join(import.meta.dirname, 'outcome-reporter.ts')}`]

process.exitCode = await main(process.argv.slice(2))

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !steps.some((step) => step.name === name))
  if (unknown.length > 0) {
    console.error(
      `unknown step ${unknown.join(', ')}; there are ${steps.map((step) => step.name).join(', ')}`,
    )
    return 2
  }
  const chosen = names.length === 0 ? steps : steps.filter((step) => names.includes(step.name))
  const reports = mkdtempSync(join(tmpdir(), 'lading-ci-'))
  const outcomes: Outcome[] = []
  try {
    for (const step of chosen) outcomes.push(await runStep(step, join(reports, `${step.name}.json`)))
  } finally {
    rmSync(reports, { recursive: true, force: true })
  }
  return summarise(outcomes)
}

async function runStep(step: Step, outcomePath: string): Promise<Outcome> {
  console.log(`\n=== ${step.name}: ${step.command.join(' ')} (at most ${step.budgetSeconds} s)`)
  const isTests = step.vitest === true
  const result = await run(isTests ? [...step.command, ...reporters] : step.command, {
    timeoutMs: step.budgetSeconds * 1000,
    env: { ...process.env, [outcomePathVariable]: outcomePath },
  })
  const tests = isTests ? readOutcome(outcomePath) : undefined
  const failures = tests?.failures ?? []
  return { name: step.name, seconds: result.seconds, failures, ...judge(result, tests) }
}

/** A step that exits non-zero has at least one failure, even when every test that ran passed. */
function judge(
  result: CommandResult,
  tests: TestOutcome | undefined,
): Pick<Outcome, 'passed' | 'failed' | 'note'> {
  const passed = tests?.passed ?? (result.ok ? 1 : 0)
  const failed = tests?.failures.length ?? 0
  if (result.timedOut) return { passed, failed: failed + 1, note: 'out of time' }
  if (!result.ok) return { passed, failed: Math.max(failed, 1), note: result.reason }
  if (passed === 0) return { passed, failed: Math.max(failed, 1), note: 'no test ran' }
  return { passed, failed, note: '' }
}

function readOutcome(path: string): TestOutcome {
  if (!existsSync(path)) return { passed: 0, failures: [] }
  return JSON.parse(readFileSync(path, 'utf8')) as TestOutcome
}

function summarise(outcomes: readonly Outcome[]): number {
  console.log('\n=== steps')
  for (const { name, passed, failed, failures, seconds, note } of outcomes) {
    const verdict = failed === 0 ? 'ok  ' : 'FAIL'
    console.log(
      `${verdict} ${name.padEnd(20)} ${passed} passed, ${failed} failed, ${seconds.toFixed(1)} s ${note}`.trimEnd(),
    )
    for (const failure of failures) console.log(`     ${failure}`)
  }
  const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0)
  const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed, 0)
  console.log(`\n${passed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}
