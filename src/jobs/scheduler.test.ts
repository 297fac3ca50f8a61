import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { eventually } from '../../test/support/eventually.ts'
import { openRegistry } from '../../test/support/parts/open-registry.ts'
import { monotonicClock } from '../lib/clock.ts'
import { acquireLease, renewLease } from '../metadata/system/leases.ts'
import { silentLog } from '../../test/support/parts/silent-log.ts'
import { TestTimers } from '../../test/support/parts/test-timers.ts'
import type { Job } from './job.ts'
import { Leases, leaseTtlMs } from './lease.ts'
import { startScheduler, type Scheduler } from './scheduler.ts'

const dayMs = 86_400_000

/** A job, and `nextRun`, whose promise resolves with the next run of the job. */
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
  test('runs a job soon after it is woken, once for many wakes', async () => {
    await using open = await openRegistry()
    let runs = 0
    const { job, nextRun } = aJob(async () => (runs += 1))
    const ran = nextRun()
    await using scheduler = startScheduler(
      { ...open, monotonic: monotonicClock, holder: 'a', log: silentLog },
      [job],
    )
    scheduler.wake('test')
    scheduler.wake('test')
    await ran
    expect(runs).toBe(1)
  })

  test('runs a job once more after a run during which it was woken, even many times', async () => {
    await using open = await openRegistry()
    const timers = new TestTimers()
    const time = { now: 0 }
    const gate = Promise.withResolvers<void>()
    let runs = 0
    const { job, nextRun } = aJob(async () => {
      runs += 1
      await gate.promise
      return 1
    })
    const wake = (scheduler: Scheduler): void => {
      scheduler.wake('test')
      time.now += 100
      timers.advance(100)
    }
    const [first, second] = [nextRun(), nextRun()]
    await using scheduler = startScheduler(
      { ...open, monotonic: { now: () => time.now }, timers, holder: 'a', log: silentLog },
      [job],
    )
    wake(scheduler)
    await first
    for (let count = 0; count < 5; count += 1) wake(scheduler)
    gate.resolve()
    await second
    for (let count = 0; count < 200; count += 1) await turn()
    expect(runs).toBe(2)
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
    await using scheduler = startScheduler(
      { ...open, monotonic: monotonicClock, holder: 'a', log: silentLog },
      [job],
    )
    scheduler.wake('test')
    await first
    scheduler.wake('test')
    await second
    expect(runs).toBe(2)
  })

  test('handles a wake after the clock was set forward', async () => {
    await using open = await openRegistry()
    let runs = 0
    const { job, nextRun } = aJob(async () => (runs += 1))
    const first = nextRun()
    await using scheduler = startScheduler(
      { ...open, monotonic: monotonicClock, holder: 'a', log: silentLog },
      [job],
    )
    scheduler.wake('test')
    await first
    const second = nextRun()
    open.clock.advance(10 * dayMs)
    scheduler.wake('test')
    await second
    expect(runs).toBe(2)
  })

  test('checks a lease from the future again soon, not at the next turn of the job', async () => {
    await using open = await openRegistry()
    const { metadata, clock } = open
    const ahead = { name: 'test', holder: 'dead', now: clock.now() + dayMs, ttlMs: leaseTtlMs }
    await metadata.transact((tx) => acquireLease(tx, ahead))
    const timers = vi.spyOn(globalThis, 'setTimeout')
    const warned = Promise.withResolvers<void>()
    const warn = (): void => warned.resolve()
    const { job } = aJob()
    const deps = { ...open, monotonic: monotonicClock, holder: 'a', log: { info: warn, warn, error: warn } }
    await using scheduler = startScheduler(deps, [job])
    scheduler.wake('test')
    await warned.promise
    const delays = await eventually(
      () => timers.mock.calls.map(([, delayMs]) => delayMs),
      (all) => all.includes(leaseTtlMs),
    )
    timers.mockRestore()
    expect(delays).not.toContain(dayMs)
  })

  test('aborts a running job, and waits for its end', async () => {
    await using open = await openRegistry()
    let stopped = false
    const { job, nextRun } = aJob(async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      stopped = true
      return 0
    })
    const ran = nextRun()
    {
      await using scheduler = startScheduler(
        { ...open, monotonic: monotonicClock, holder: 'a', log: silentLog },
        [job],
      )
      scheduler.wake('test')
      await ran
    }
    expect(stopped).toBe(true)
  })
})

describe('a lease', () => {
  const { signal } = new AbortController()
  const work = async () => 'ran'

  async function openLeases() {
    const open = await openRegistry()
    const time = { now: 0 }
    const warnings: object[] = []
    const openProcess = (holder: string, clock = open.clock) =>
      new Leases({
        ...open,
        clock,
        holder,
        monotonic: { now: () => time.now },
        log: { warn: (fields: object) => void warnings.push(fields) },
      })
    return {
      ...open,
      time,
      warnings,
      openProcess,
      [Symbol.asyncDispose]: () => open[Symbol.asyncDispose](),
    }
  }

  test('lets one holder work at a time', async () => {
    await using open = await openLeases()
    const [a, b] = [open.openProcess('a'), open.openProcess('b')]
    const inner = await a.run({ name: 'x', signal }, () => b.run({ name: 'x', signal }, work))
    expect(inner).toMatchObject({ value: { kind: 'held', lookAgainMs: undefined } })
    expect(await b.run({ name: 'x', signal }, work)).toEqual({ kind: 'ran', value: 'ran' })
  })

  test('passes to another holder after it expires', async () => {
    await using open = await openLeases()
    const { metadata, clock } = open
    const abandoned = { name: 'x', holder: 'dead', now: clock.now(), ttlMs: leaseTtlMs }
    await metadata.transact((tx) => acquireLease(tx, abandoned))
    const b = open.openProcess('b')
    expect((await b.run({ name: 'x', signal }, work)).kind).toBe('held')
    clock.advance(leaseTtlMs + 1)
    expect((await b.run({ name: 'x', signal }, work)).kind).toBe('ran')
    expect(open.warnings).toEqual([])
  })

  test('from the future is taken over unless it is renewed, with one warning', async () => {
    await using open = await openLeases()
    const { metadata, clock, time } = open
    const ahead = { name: 'x', holder: 'dead', now: clock.now() + dayMs, ttlMs: leaseTtlMs }
    await metadata.transact((tx) => acquireLease(tx, ahead))
    const b = open.openProcess('b')
    expect(await b.run({ name: 'x', signal }, work)).toEqual({ kind: 'held', lookAgainMs: leaseTtlMs })
    time.now += leaseTtlMs - 1
    expect((await b.run({ name: 'x', signal }, work)).kind).toBe('held')
    expect(open.warnings).toEqual([{ job: 'x', holder: 'dead', leftMs: dayMs + leaseTtlMs }])
    time.now += 1
    expect((await b.run({ name: 'x', signal }, work)).kind).toBe('ran')
  })

  test('stays with a living holder whose clock is ahead', async () => {
    await using open = await openLeases()
    const { metadata, clock, time } = open
    const ahead = { name: 'x', holder: 'ahead', ttlMs: leaseTtlMs }
    await metadata.transact((tx) => acquireLease(tx, { ...ahead, now: clock.now() + dayMs }))
    const b = open.openProcess('b')
    for (let turn = 1; turn <= 5; turn++) {
      expect((await b.run({ name: 'x', signal }, work)).kind).toBe('held')
      time.now += leaseTtlMs
      const now = clock.now() + dayMs + turn * leaseTtlMs
      await metadata.transact((tx) => renewLease(tx, { ...ahead, generation: 1, now }))
    }
    expect(open.warnings).toHaveLength(1)
  })
})
