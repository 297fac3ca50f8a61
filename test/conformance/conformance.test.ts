import { beforeAll, describe, expect, test } from 'vitest'

import { startRegistry } from '../support/processes/start-registry.ts'
import type { ConformanceReport } from './run-conformance.ts'
import { buildSuite, formatTotals, runConformance } from './run-conformance.ts'

// Sparse data names blobs that were never pushed, which the strict default refuses deliberately.
const lenient = { LADING_REFERENCES_BLOBS: 'lenient' }
const credentials = { username: 'root', password: 'the password of root' }

beforeAll(buildSuite, 280_000)

function expectEverythingPassed(report: ConformanceReport): void {
  expect(report.notPassed).toEqual([])
  expect(report.totals).toMatchObject({ fail: 0, skip: 0, disabled: 0, error: 0 })
  expect(report.totals.pass).toBe(report.totals.total)
  // The suite of this version has 1,032 checks with all options enabled: a lower total means that something did not run.
  expect(report.totals.total).toBeGreaterThanOrEqual(1_000)
  expect(Object.keys(report.apis).length).toBeGreaterThanOrEqual(28)
  expect(Object.keys(report.data).length).toBeGreaterThanOrEqual(24)
}

describe('the OCI conformance suite, development version with sparse data', () => {
  test('passes every check without credentials, where anonymous may push', async () => {
    await using registry = await startRegistry({ env: { ...lenient, LADING_AUTH_ANONYMOUS: 'push' } })
    const report = await runConformance({ host: registry.host, name: 'anonymous' })
    process.stdout.write(`conformance (anonymous): ${formatTotals(report.totals)}\n`)

    expectEverythingPassed(report)
  })

  test.for([
    { anonymous: 'none', cacheAuth: 'true' },
    { anonymous: 'none', cacheAuth: 'false' },
    { anonymous: 'pull', cacheAuth: 'true' },
    { anonymous: 'pull', cacheAuth: 'false' },
  ])(
    'passes every check with bearer tokens of a user: anonymous $anonymous, tokens kept: $cacheAuth',
    async ({ anonymous, cacheAuth }) => {
      await using registry = await startRegistry({
        env: {
          ...lenient,
          LADING_AUTH_ANONYMOUS: anonymous,
          LADING_ADMIN_NAME: credentials.username,
          LADING_ADMIN_PASSWORD: credentials.password,
          // A mount without `from` sends a token for the target only: the other repository must be public.
          LADING_REPOSITORY_VISIBILITY: 'public',
        },
      })
      const name = `user-${anonymous}-${cacheAuth === 'true' ? 'kept' : 'fresh'}`
      const report = await runConformance({
        host: registry.host,
        name,
        credentials,
        env: { OCI_CACHE_AUTH: cacheAuth },
      })
      process.stdout.write(`conformance (${name}): ${formatTotals(report.totals)}\n`)

      expectEverythingPassed(report)
    },
  )
})
