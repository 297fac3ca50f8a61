import { describe, expect, test } from 'vitest'
import { openRegistry } from '../../test/support/open-registry.ts'
import { acquireLease } from '../metadata/leases.ts'
import { createLogger } from '../telemetry/logger.ts'
import type { Job } from './job.ts'
import { leaseTtlMs, withLease } from './lease.ts'
import { startScheduler } from './scheduler.ts'

const log = createLogger({ level: 'silent', destination: { write: () => undefined } })
const dayMs = 86_400_000

/** A job that tells each of its runs, and the runs one may wait for. */
function aJob(run: (signal: AbortSignal) => Promise<number> = async () => 1) {
  const waiting: (() => void)[] = []
  const job: Job = {
    name: 'test',
    everyMs: dayMs,
    run: async (signal) => {
      const done = run(signal)
      waiting.shift()?.()
      return done
    },
  }
  const nextRun = (): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    waiting.push(resolve)
    return promise
  }
  return { job, nextRun }
}

describe('the scheduler', () => {
  test('runs a job soon after it is woken, many wakes being one run', async () => {
    await using open = await openRegistry()
    let runs = 0
    const { job, nextRun } = aJob(async () => (runs += 1))
    const ran = nextRun()
    await using scheduler = startScheduler({ ...open, holder: 'a', log }, [job])
    scheduler.wake('test')
    scheduler.wake('test')
    await ran
    expect(runs).toBe(1)
  })

  test('runs a failing job again at its next turn', async () => {
    await using open = await openRegistry()
    let runs = 0
    const { job, nextRun } = aJob(async () => {
      runs += 1
      if (runs === 1) throw new Error('first run fails')
      return 1
    })
    const first = nextRun()
    const second = nextRun()
    await using scheduler = startScheduler({ ...open, holder: 'a', log }, [job])
    scheduler.wake('test')
    await first
    scheduler.wake('test')
    await second
    expect(runs).toBe(2)
  })

  test('tells a running job to stop, and waits for it', async () => {
    await using open = await openRegistry()
    let stopped = false
    const { job, nextRun } = aJob(async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      stopped = true
      return 0
    })
    const ran = nextRun()
    {
      await using scheduler = startScheduler({ ...open, holder: 'a', log }, [job])
      scheduler.wake('test')
      await ran
    }
    expect(stopped).toBe(true)
  })
})

describe('a lease', () => {
  const { signal } = new AbortController()

  test('lets one holder work at a time', async () => {
    await using open = await openRegistry()
    const inner = await withLease({ ...open, holder: 'a' }, { name: 'x', signal }, () =>
      withLease({ ...open, holder: 'b' }, { name: 'x', signal }, async () => 'ran'),
    )
    expect(inner).toBeUndefined()
    const after = await withLease({ ...open, holder: 'b' }, { name: 'x', signal }, async () => 'ran')
    expect(after).toBe('ran')
  })

  test('goes to another holder once it ran out', async () => {
    await using open = await openRegistry()
    const { metadata, clock } = open
    const abandoned = { name: 'x', holder: 'dead', now: clock.now(), ttlMs: leaseTtlMs }
    await metadata.transact((tx) => acquireLease(tx, abandoned))
    const work = async () => 'ran'
    expect(await withLease({ ...open, holder: 'b' }, { name: 'x', signal }, work)).toBeUndefined()
    clock.advance(leaseTtlMs + 1)
    expect(await withLease({ ...open, holder: 'b' }, { name: 'x', signal }, work)).toBe('ran')
  })
})
