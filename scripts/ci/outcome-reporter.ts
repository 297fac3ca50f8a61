/**
 * A vitest reporter that writes the figures that `run.ts` adds up: how many tests passed, and a line for each failure. Failures
 * outside a test count, too: files that do not load, hooks, and uncaught errors.
 */
import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import type { Reporter, TestModule, TestSuite, SerializedError } from 'vitest/node'

/** The variable with the path of the `TestOutcome` that the reporter writes as JSON. */
export const outcomePathVariable = 'CI_TEST_OUTCOME'

export interface TestOutcome {
  readonly passed: number
  /** The file, the name and the first line of the error of each failure. */
  readonly failures: readonly string[]
}

type TestError = Pick<SerializedError, 'message' | 'stack'>

const maxErrorLength = 500

// oxlint-disable-next-line import/no-default-export -- vitest loads a reporter by its default export
export default class OutcomeReporter implements Reporter {
  onTestRunEnd(
    testModules: ReadonlyArray<TestModule>,
    unhandledErrors: ReadonlyArray<SerializedError>,
  ): void {
    const path = process.env[outcomePathVariable]
    if (path === undefined) throw new Error(`${outcomePathVariable} is not set: it names the file to write`)
    const outcome: TestOutcome = {
      passed: testModules.reduce((sum, { children }) => sum + [...children.allTests('passed')].length, 0),
      failures: [
        ...testModules.flatMap((testModule) => findFailures(testModule)),
        ...unhandledErrors.map((error) => `error outside a test: ${describe(error)}`),
      ],
    }
    writeFileSync(path, JSON.stringify(outcome))
  }
}

function findFailures(testModule: TestModule): readonly string[] {
  const file = relative(process.cwd(), testModule.moduleId)
  const suites: (TestModule | TestSuite)[] = [testModule, ...testModule.children.allSuites()]
  const outsideTests = suites.flatMap((suite) => suite.errors())
  const tests = [...testModule.children.allTests('failed')]
  return [
    ...outsideTests.map((error) => `${file}: outside a test: ${describe(error)}`),
    ...tests.map((test) => `${file}: ${test.fullName}: ${describe(test.result().errors?.[0])}`),
  ]
}

function describe(error: TestError | undefined): string {
  const [firstLine = ''] = (error?.message ?? '').split('\n')
  const place = error?.stack?.split('\n').find((line) => line.trimStart().startsWith('at '))
  return `${firstLine.slice(0, maxErrorLength)} ${place?.trim() ?? ''}`.trimEnd()
}
