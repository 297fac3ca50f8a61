import { describe, expect, test } from 'vitest'
import { createMetrics } from './metrics.ts'
import type { Metrics } from './metrics.ts'

const request = { route: 'end-3', method: 'GET', status: 200, durationMs: 7, bytesIn: 0, bytesOut: 1200 }

/** Compares whole lines, so that 2 does not match 20. */
async function expectLines(metrics: Metrics, lines: readonly string[]): Promise<void> {
  expect((await metrics.render()).split('\n')).toEqual(expect.arrayContaining([...lines]))
}

describe('createMetrics', () => {
  test('counts requests by route, method and status class', async () => {
    const metrics = createMetrics({ version: '1.2.3' })
    metrics.onRequest(request)
    metrics.onRequest({ ...request, status: 206 })
    metrics.onRequest({ ...request, route: undefined, method: 'BREW', status: 404 })
    metrics.onRequest({ ...request, status: undefined })
    await expectLines(metrics, [
      'lading_http_requests_total{route="end-3",method="GET",status="2xx"} 2',
      'lading_http_requests_total{route="unknown",method="other",status="4xx"} 1',
      'lading_http_requests_total{route="end-3",method="GET",status="gone"} 1',
      'lading_http_request_duration_seconds_bucket{le="0.01",route="end-3"} 3',
      'lading_http_request_duration_seconds_bucket{le="0.005",route="end-3"} 0',
      'lading_http_sent_bytes_total{route="end-3"} 3600',
    ])
  })

  test('distinguishes failures of the store from aborts by clients', async () => {
    const metrics = createMetrics({ version: '1' })
    const named = (name: string) => Object.assign(new Error('x'), { name })
    metrics.onStoreCall({ operation: 'copy', durationMs: 1, error: named('AbortError') })
    metrics.onStoreCall({ operation: 'open', durationMs: 1, error: named('StoreUnavailable') })
    metrics.onStoreBytes('read', 10)
    const text = await metrics.render()
    expect(text).toContain('lading_store_failures_total{operation="open",error="unavailable"} 1')
    expect(text).not.toContain('lading_store_failures_total{operation="copy"')
    expect(text).toContain('lading_store_bytes_total{direction="read"} 10')
  })

  test('measures transactions, jobs and logins', async () => {
    const metrics = createMetrics({ version: '1' })
    metrics.onTransaction({ waitMs: 1, durationMs: 2, runs: 3, failed: false })
    metrics.onJob({ job: 'expire-uploads', durationMs: 5, failed: true })
    metrics.onJob({ job: 'collect-blobs', durationMs: 5, failed: false })
    metrics.onLogin('refused')
    metrics.onConnectionRefused('address')
    metrics.onConnectionClosed('reply-idle')
    await expectLines(metrics, [
      'lading_database_transaction_repeats_total 2',
      'lading_database_transaction_duration_seconds_count{result="ok"} 1',
      'lading_job_duration_seconds_count{job="expire-uploads",result="failed"} 1',
      'lading_logins_total{result="refused"} 1',
      'lading_http_connections_refused_total{limit="address"} 1',
      'lading_http_connections_closed_total{reason="reply-idle"} 1',
    ])
    const text = await metrics.render()
    const [, seconds] =
      /^lading_job_last_success_timestamp_seconds{job="collect-blobs"} (\S+)$/m.exec(text) ?? []
    expect(Math.abs(Number(seconds) * 1_000 - Date.now())).toBeLessThan(60_000)
    expect(text).not.toContain('lading_job_last_success_timestamp_seconds{job="expire-uploads"}')
  })

  test('reads caches and gauges when metrics are requested', async () => {
    const metrics = createMetrics({ version: '1' })
    let hits = 1
    metrics.watchCache('blob', () => ({ hits, misses: 2, entries: 3, bytes: 4 }))
    metrics.watchGauge({ name: 'lading_upload_sessions', help: 'x', read: () => Promise.resolve(5) })
    await metrics.render()
    hits = 6
    await expectLines(metrics, [
      'lading_cache_hits_total{cache="blob"} 6',
      'lading_cache_misses_total{cache="blob"} 2',
      'lading_cache_entries{cache="blob"} 3',
      'lading_cache_bytes{cache="blob"} 4',
      'lading_upload_sessions 5',
    ])
  })

  test('omits a metric that cannot be read, and keeps the others', async () => {
    const metrics = createMetrics({ version: '1' })
    const read = () => Promise.reject(new Error('the database does not answer'))
    metrics.watchGauge({ name: 'lading_upload_sessions', help: 'x', read })
    const text = await metrics.render()
    expect(text).not.toMatch(/^lading_upload_sessions \d/m)
    expect(text).toContain('lading_build_info{version="1"} 1')
  })

  test('includes the event loop and the process', async () => {
    const text = await createMetrics({ version: '1' }).render()
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds')
    expect(text).toContain('process_resident_memory_bytes')
  })

  test('keeps the metrics of two registries separate', async () => {
    const [one, two] = [createMetrics({ version: '1' }), createMetrics({ version: '2' })]
    one.onLogin('accepted')
    await expectLines(one, ['lading_logins_total{result="accepted"} 1'])
    expect(await two.render()).not.toContain('result="accepted"')
  })
})
