/** Test projects: `npm test` runs `unit`; the slower suites are run by name from `.ci/run` and `npm run proof`. */
import { defineConfig } from 'vitest/config'

function project(name: string, include: string[], testTimeoutMs: number) {
  return { test: { name, include, testTimeout: testTimeoutMs, hookTimeout: testTimeoutMs } }
}

/** One file at a time: these suites load the whole machine, and what they measure must not meet another of them. */
function serialProject(...options: Parameters<typeof project>) {
  return { test: { ...project(...options).test, fileParallelism: false } }
}

/**
 * Files share the modules of their worker, which saves a third of the time. They run one after another, and what modules
 * remember (the turn budget of `lib/turns.ts`, name sets by their patterns) belongs to no test.
 */
function sharedProject(...options: Parameters<typeof project>) {
  return { test: { ...project(...options).test, isolate: false } }
}

export default defineConfig({
  test: {
    // The default leaves one core to the machine's owner; on two cores that is half.
    maxWorkers: 2,
    projects: [
      sharedProject(
        'unit',
        ['src/**/*.test.ts', 'test/*.test.ts', 'test/protocol/**/*.test.ts', 'test/api/*.test.ts'],
        20_000,
      ),
      project('processes', ['test/processes/**/*.test.ts'], 60_000),
      project('contract-postgres', ['src/**/contract/*postgres*.contract.ts'], 60_000),
      serialProject('crash', ['test/crash/**/*.test.ts'], 300_000),
      project('conformance', ['test/conformance/**/*.test.ts'], 300_000),
      serialProject('differences', ['test/differences/**/*.test.ts'], 120_000),
      project('clients', ['test/clients/**/*.test.ts'], 300_000),
      project('api', ['test/api/schemathesis/*.test.ts'], 120_000),
      serialProject('proof', ['test/proof/**/*.test.ts'], 1_200_000),
    ],
  },
})
