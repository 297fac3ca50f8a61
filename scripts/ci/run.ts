/**
 * Runs the steps of `steps.ts` one after another, goes on after a failing one, and ends with `N passed, N failed`:
 * tests are counted one by one where a step runs vitest, every other step counts as one.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { run } from '../run-command.ts'
import type { CommandResult } from '../run-command.ts'
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

interface TestCounts {
  readonly passed: number
  readonly failed: number
  /** One line per failed test: its file, its name and the first line of what failed. */
  readonly failures: readonly string[]
}

interface VitestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: readonly VitestFile[]
}

interface VitestFile {
  readonly name: string
  readonly status: string
  readonly message: string
  readonly assertionResults: readonly VitestTest[]
}

interface VitestTest {
  readonly fullName: string
  readonly status: string
  readonly failureMessages: readonly string[]
}

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

async function runStep(step: Step, reportPath: string): Promise<Outcome> {
  console.log(`\n=== ${step.name}: ${step.command.join(' ')} (at most ${step.budgetSeconds} s)`)
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportPath}`]
  const command = step.vitest === true ? [...step.command, ...reporters] : step.command
  const result = await run(command, { timeoutMs: step.budgetSeconds * 1000 })
  const counts = step.vitest === true ? countTests(reportPath) : undefined
  const failures = counts?.failures ?? []
  return { name: step.name, seconds: result.seconds, failures, ...judge(result, counts) }
}

/** A step that exits non-zero has at least one failure, even when every test that ran passed. */
function judge(
  result: CommandResult,
  counts: TestCounts | undefined,
): Pick<Outcome, 'passed' | 'failed' | 'note'> {
  const passed = counts?.passed ?? (result.ok ? 1 : 0)
  const failed = counts?.failed ?? 0
  if (result.timedOut) return { passed, failed: failed + 1, note: 'out of time' }
  if (!result.ok) return { passed, failed: Math.max(failed, 1), note: result.reason }
  if (passed === 0) return { passed, failed: Math.max(failed, 1), note: 'no test ran' }
  return { passed, failed, note: '' }
}

/** A file that could not be loaded has no tests to count; it is one failure. */
function countTests(reportPath: string): TestCounts {
  if (!existsSync(reportPath)) return { passed: 0, failed: 0, failures: [] }
  const report = JSON.parse(readFileSync(reportPath, 'utf8')) as VitestReport
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  )
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    failures: [
      ...broken.map(({ name, message }) => describeFailure(name, 'could not be loaded', message)),
      ...report.testResults.flatMap(({ name, assertionResults }) =>
        assertionResults
          .filter(({ status }) => status === 'failed')
          .map((test) => describeFailure(name, test.fullName, test.failureMessages[0] ?? '')),
      ),
    ],
  }
}

function describeFailure(file: string, test: string, message: string): string {
  const [firstLine = ''] = message.split('\n')
  return `${relative(process.cwd(), file)}: ${test}: ${firstLine.slice(0, 500)}`
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
