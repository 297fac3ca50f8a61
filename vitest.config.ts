/** Test projects: `npm test` runs unit, contracts and protocol; the slower suites are started by name from `.ci/run`. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/architecture.test.ts', 'test/protocol/**/*.test.ts'],
          testTimeout: 20_000,
        },
      },
    ],
  },
})
