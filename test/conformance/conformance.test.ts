import { beforeAll, describe, expect, test } from 'vitest'

import { startRegistry } from '../support/start-registry.ts'
import { buildSuite, formatTotals, runConformance } from './run-conformance.ts'

beforeAll(buildSuite, 280_000)

describe('the OCI conformance suite, development version with sparse data', () => {
  test('passes every check without credentials: none fails, none is skipped, none is disabled', async () => {
    // Sparse data names blobs that were never pushed, which the strict default refuses on purpose.
    await using registry = await startRegistry({ env: { LADING_REFERENCES_BLOBS: 'lenient' } })
    const report = await runConformance({ host: registry.host, name: 'anonymous' })
    process.stdout.write(`conformance (anonymous): ${formatTotals(report.totals)}\n`)

    expect(report.notPassed).toEqual([])
    expect(report.totals).toMatchObject({ fail: 0, skip: 0, disabled: 0, error: 0 })
    expect(report.totals.pass).toBe(report.totals.total)
    // The suite of this version has 1,032 checks with everything on: fewer means that something was not run.
    expect(report.totals.total).toBeGreaterThanOrEqual(1_000)
    expect(Object.keys(report.apis).length).toBeGreaterThanOrEqual(28)
    expect(Object.keys(report.data).length).toBeGreaterThanOrEqual(24)
  })
})
