import { describe, expect, test } from 'vitest'
import { StoreFull, StoreUnavailable } from '../blob-store/errors.ts'
import { createHealth } from './health.ts'

function aHealth() {
  const state = { now: 0, pings: 0, storeError: undefined as Error | undefined }
  const gauges = new Map<string, () => number | Promise<number>>()
  const health = createHealth({
    metadata: { ping: () => Promise.resolve() },
    store: {
      ping() {
        state.pings += 1
        return state.storeError === undefined ? Promise.resolve() : Promise.reject(state.storeError)
      },
    },
    logger: { warn: () => undefined },
    monotonic: { now: () => state.now },
    metrics: { watchGauge: ({ name, read }) => void gauges.set(name, read) },
  })
  return { state, health, storeFull: () => gauges.get('lading_store_full')?.() }
}

describe('readiness', () => {
  test('stays while the store has no space, and reports it', async () => {
    const { state, health, storeFull } = aHealth()
    expect([await health(), await storeFull()]).toEqual([
      { ready: true, checks: { metadata: 'ok', store: 'ok' } },
      0,
    ])
    state.storeError = new StoreFull('no space')
    state.now = 1_000
    const checks = { metadata: 'ok', store: expect.stringMatching(/^full: pulls work/) }
    expect([await health(), await storeFull()]).toEqual([{ ready: true, checks }, 1])
  })

  test('ends when the store does not respond', async () => {
    const { state, health, storeFull } = aHealth()
    state.storeError = new StoreUnavailable('gone', { retryable: true })
    const checks = { metadata: 'ok', store: 'does not respond' }
    expect([await health(), await storeFull()]).toEqual([{ ready: false, checks }, 0])
  })

  test('is checked once a second, regardless of the number of requests', async () => {
    const { state, health } = aHealth()
    await Promise.all([health(), health()])
    state.now = 999
    await health()
    expect(state.pings).toBe(1)
    state.now = 1_000
    await health()
    expect(state.pings).toBe(2)
  })
})
