/** Test projects: `npm test` runs `unit`; the slower suites are run by name from `.ci/run` and `npm run proof`. */
import { defineConfig } from 'vitest/config'

function project(name: string, include: string[], testTimeoutMs: number) {
  return { test: { name, include, testTimeout: testTimeoutMs, hookTimeout: testTimeoutMs } }
}

export default defineConfig({
  test: {
    projects: [
      project('unit', ['src/**/*.test.ts', 'test/*.test.ts', 'test/protocol/**/*.test.ts'], 20_000),
      project('contract-postgres', ['src/**/contract/*postgres*.contract.ts'], 60_000),
      project('crash', ['test/crash/**/*.test.ts'], 300_000),
      project('conformance', ['test/conformance/**/*.test.ts'], 300_000),
      project('clients', ['test/clients/**/*.test.ts'], 300_000),
      project('proof', ['test/proof/**/*.test.ts'], 1_200_000),
    ],
  },
})
