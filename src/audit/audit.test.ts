import { afterEach, describe, expect, test, vi } from 'vitest'
import { openAuth } from '../../test/support/parts/open-auth.ts'
import type { OpenAuth } from '../../test/support/parts/open-auth.ts'
import type { AuditOutcome } from '../metadata/audit/audit-actions.ts'
import type { AuditEntry } from '../metadata/audit/audit-trail.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { createAudit, type AuditDeps } from './audit.ts'
import { forgetOldAudit } from './forget-old.ts'
import type { Loss } from './losses.ts'

afterEach(() => void vi.useRealTimers())

const bob = { id: 'user:1', name: 'bob' }

const login = (outcome: AuditOutcome): AuditEntry => ({ action: 'login', outcome })

const from = (address: string) => ({ id: 'anonymous', name: '', address })

/** Returns the recorded events, oldest first. */
async function recorded({ audit }: OpenAuth) {
  await audit.flush()
  return (await Array.fromAsync(audit.export({}))).flat()
}

const summary = async (open: OpenAuth): Promise<string[]> =>
  (await recorded(open)).map(({ outcome, actor }) => `${outcome} ${actor.address}`)

describe('a record', () => {
  test('is written in a batch, each with its outcome', async () => {
    await using open = await openAuth()
    const outcomes = ['granted', 'wrong-password', 'wrong-password', 'unknown'] as const
    for (const outcome of outcomes) open.audit.record(from('192.0.2.1'), login(outcome))
    expect(await open.audit.search({ filter: {}, limit: 10 })).toEqual([])
    expect(await summary(open)).toEqual(outcomes.map((outcome) => `${outcome} 192.0.2.1`))
  })

  test('A4: is written once a minute of each key where one is given', async () => {
    await using open = await openAuth()
    const refuse = (address: string) => open.audit.recordOnce(from(address), login('throttled'), address)
    for (let second = 0; second < 60; second += 1) {
      refuse('192.0.2.1')
      refuse('192.0.2.2')
      open.clock.advance(1000)
    }
    expect(await summary(open)).toEqual(['throttled 192.0.2.1', 'throttled 192.0.2.2'])
    refuse('192.0.2.1')
    expect(await recorded(open)).toHaveLength(3)
  })

  test('G5: is written again after the clock was set back', async () => {
    await using open = await openAuth()
    open.audit.recordOnce(bob, login('throttled'), 'key')
    open.clock.advance(-86_400_000)
    open.audit.recordOnce(bob, login('throttled'), 'key')
    expect(await recorded(open)).toHaveLength(2)
  })

  test('A4: of a party with many refused requests does not use the places of others', async () => {
    await using open = await openAuth()
    for (let count = 0; count < 11_000; count += 1) {
      open.audit.recordOnce(bob, { action: 'push', outcome: 'denied' }, `user:1 push acme/${count}`)
      open.audit.recordOnce(from('192.0.2.1'), login('throttled'), `192.0.2.${count}`)
    }
    open.audit.recordOnce({ id: 'user:2', name: 'carol' }, { action: 'push', outcome: 'denied' }, 'user:2')
    open.clock.advance(60_000)
    open.audit.recordOnce(bob, { action: 'push', outcome: 'denied' }, 'later')
    const names = (await recorded(open)).map(({ actor }) => actor.name)
    expect(names).toHaveLength(1_002)
    expect(names.slice(-2)).toEqual(['carol', 'bob'])
  })

  test('A4: is dropped when thousands wait for the next batch', async () => {
    await using open = await openAuth()
    for (let count = 0; count < 6_000; count += 1) open.audit.record(bob, login('unknown'))
    const logins = (await recorded(open)).filter(({ action }) => action === 'login')
    expect(logins).toHaveLength(5_000)
  })

  test('that cannot be written is reported and lost, without affecting later ones', async () => {
    const told: unknown[] = []
    await using open = await openAuth()
    const broken = { ...open.metadata, transact: () => Promise.reject(new Error('disk full')) }
    const audit = createAudit({ ...open, metadata: broken, onError: (error) => void told.push(error) })
    audit.record(bob, login('granted'))
    await audit.flush()
    expect(told).toEqual([new Error('disk full')])
    audit.record(bob, login('granted'))
    await audit.flush()
    expect(told).toHaveLength(2)
  })
})

describe('an event that is not recorded', () => {
  /** Opens an audit that records its losses; `change` can replace its clock, for the minute between two reports. */
  async function openCounting(change: Partial<AuditDeps> = {}) {
    const open = await openAuth()
    const dropped: [string, number][] = []
    const losses: Loss[] = []
    const audit = createAudit({
      ...open,
      onError: () => undefined,
      onDropped: (reason, count) => void dropped.push([reason, count]),
      onLoss: (loss) => void losses.push(loss),
      ...change,
    })
    const rows = async () => {
      const all = await open.audit.search({ filter: {}, limit: 100 })
      return all
        .filter(({ action }) => action === 'audit.loss')
        .map(({ actor, detail }) => [actor.id, detail])
    }
    return { ...open, audit, dropped, losses, rows, [Symbol.asyncDispose]: () => open[Symbol.asyncDispose]() }
  }

  test('is counted by reason and kind, in the log and in one event', async () => {
    await using open = await openCounting()
    const { audit, dropped } = open
    for (let count = 0; count < 5_002; count += 1) audit.record(bob, login('unknown'))
    audit.record(bob, { action: 'push', outcome: 'denied' })
    await audit[Symbol.asyncDispose]()
    expect(dropped).toEqual(Array.from({ length: 3 }, () => ['full', 1]))
    const loss = { count: 3, events: ['login unknown: 2', 'push denied: 1'] }
    expect(open.losses).toEqual([loss])
    expect(await open.rows()).toEqual([['system', loss]])
  })

  test('because one party sends too many different requests is counted, but not if it is already known', async () => {
    await using open = await openCounting()
    const { audit } = open
    const denied = { action: 'push', outcome: 'denied' } as const
    for (let count = 0; count < 502; count += 1) audit.recordOnce(bob, denied, `acme/${count}`)
    audit.recordOnce(bob, denied, 'acme/1')
    await audit[Symbol.asyncDispose]()
    expect(open.dropped).toEqual([
      ['distinct', 1],
      ['distinct', 1],
    ])
    expect(open.losses).toEqual([{ count: 2, events: ['push denied: 2'] }])
  })

  test('because one IPv6 network sends too many different requests is counted as of one party', async () => {
    await using open = await openCounting()
    const denied = { action: 'login', outcome: 'unknown' } as const
    for (let count = 0; count < 501; count += 1) {
      const actor = { id: 'anonymous', name: '', address: `2001:db8:0:1::${count.toString(16)}` }
      open.audit.recordOnce(actor, denied, `${count}`)
    }
    open.audit.recordOnce({ id: 'anonymous', name: '', address: '2001:db8:0:2::1' }, denied, 'another')
    await open.audit[Symbol.asyncDispose]()
    expect(open.dropped).toEqual([['distinct', 1]])
  })

  test('because the database fails is counted, and recorded once it works', async () => {
    let isBroken = true
    await using real = await openAuth()
    const metadata: Metadata = Object.create(real.metadata, {
      transact: {
        value: (...call: Parameters<Metadata['transact']>) =>
          isBroken ? Promise.reject(new Error('disk full')) : real.metadata.transact(...call),
      },
    }) as Metadata
    await using open = await openCounting({ ...real, metadata })
    open.audit.record(bob, login('granted'))
    await open.audit[Symbol.asyncDispose]()
    expect(open.dropped).toEqual([['failed', 1]])
    expect(await real.audit.search({ filter: {}, limit: 10 })).toEqual([])
    open.audit.record(bob, login('granted'))
    await open.audit.flush()
    isBroken = false
    await open.audit[Symbol.asyncDispose]()
    expect(open.losses.map(({ count }) => count)).toEqual([1, 1])
    const [row] = await real.audit.search({ filter: {}, limit: 10 })
    expect(row?.detail).toEqual({ count: 2, events: ['login granted: 2'] })
  })

  test('is reported once a minute', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await using open = await openCounting({ monotonic: { now: () => elapsedMs } })
    let elapsedMs = 0
    const advance = async (ms: number): Promise<void> => {
      elapsedMs += ms
      await vi.advanceTimersByTimeAsync(ms)
    }
    let asked = 0
    const denied = { action: 'push', outcome: 'denied' } as const
    const ask = (): void => open.audit.recordOnce(bob, denied, `acme/${asked++}`)
    // Beyond 500 different events of one party, further ones are not remembered within a minute.
    for (let count = 0; count < 501; count += 1) ask()
    await advance(1_000)
    expect(open.losses).toHaveLength(1)
    for (let second = 0; second < 59; second += 1) {
      ask()
      await advance(1_000)
    }
    expect(open.losses).toHaveLength(1)
    await advance(3_000)
    vi.useRealTimers()
    expect(open.losses.map(({ count }) => count)).toEqual([1, 59])
  })
})

describe('a change', () => {
  test('is audited in its transaction or not at all', async () => {
    await using open = await openAuth()
    const { metadata, audit } = open
    const target = { kind: 'user', name: 'carol' } as const
    const created = { action: 'user.create', outcome: 'done', target } as const
    const failed = metadata.transact(async (tx) => {
      await audit.change(tx, bob, created)
      throw new Error('the change failed')
    })
    await expect(failed).rejects.toThrow('the change failed')
    expect(await recorded(open)).toEqual([])
    await metadata.transact((tx) => audit.change(tx, bob, created, { ...created, action: 'user.disable' }))
    expect(await recorded(open)).toMatchObject([
      { action: 'user.create', actor: bob, target, at: open.clock.now() },
      { action: 'user.disable', actor: bob, target },
    ])
  })

  test('E4: puts names that clients send into one line of limited length', async () => {
    await using open = await openAuth()
    const nasty = 'a\r\nforged line\u001B[2J\u202Eb\u2028c\0\uD800'
    open.audit.record(
      { ...bob, name: nasty, client: nasty + 'x'.repeat(10_000) },
      {
        ...login('unknown'),
        target: { kind: 'user', name: nasty },
        detail: { note: nasty, list: [nasty], count: 1 },
      },
    )
    const [event] = await recorded(open)
    const clean = 'a\uFFFD\uFFFDforged line\uFFFD[2J\uFFFDb\uFFFDc\uFFFD\uFFFD'
    expect(event).toMatchObject({
      actor: { name: clean },
      target: { name: clean },
      detail: { note: clean, list: [clean], count: 1 },
    })
    expect(event?.actor.client).toHaveLength(200)
  })
})

test('an export has all of it, oldest first, beyond one page', async () => {
  await using open = await openAuth()
  for (let count = 0; count < 1_200; count += 1) {
    open.audit.record(bob, { ...login('granted'), detail: { count } })
    if (count % 400 === 0) open.clock.advance(1)
  }
  const all = await recorded(open)
  expect(all.map(({ detail }) => detail?.['count'])).toEqual(Array.from({ length: 1_200 }, (_, n) => n))
})

describe('pulls', () => {
  const openWith = async (pulls: number) => {
    const open = await openAuth()
    let turn = 0
    const random = () => (turn++ % 10) / 10
    return { open, audit: createAudit({ ...open, onError: () => undefined, pulls, random }) }
  }

  test.each([
    [0, 0],
    [0.2, 20],
    [1, 100],
  ])('are recorded as far as asked for: %d of them', async (pulls, expected) => {
    const { open, audit } = await openWith(pulls)
    await using _ = open
    let described = 0
    for (let count = 0; count < 100; count += 1) {
      audit.pulled(() => {
        described += 1
        return { actor: bob, repository: 'acme/web', detail: { tag: 'v1' } }
      })
    }
    await audit.flush()
    expect(await audit.search({ filter: { action: 'pull', target: 'acme/' }, limit: 200 })).toHaveLength(
      expected,
    )
    expect(described).toBe(expected)
  })
})

describe('retention', () => {
  const { signal } = new AbortController()
  const dayMs = 86_400_000

  test('deletes events older than the days, and the oldest of too many', async () => {
    await using open = await openAuth()
    for (let day = 0; day < 10; day += 1) {
      for (let count = 0; count < 200; count += 1)
        open.audit.record(bob, { ...login('granted'), detail: { day } })
      await open.audit.flush()
      open.clock.advance(dayMs)
    }
    expect(await forgetOldAudit(open, { days: 6, maxRows: 10_000 }, signal)).toBe(800)
    expect(await forgetOldAudit(open, { days: 6, maxRows: 250 }, signal)).toBe(950)
    const days = (await recorded(open)).map(({ detail }) => detail?.['day'])
    expect(days).toEqual([...Array<number>(50).fill(8), ...Array<number>(200).fill(9)])
    expect(await forgetOldAudit(open, { days: 6, maxRows: 250 }, signal)).toBe(0)
  })

  test('stops when its signal is aborted', async () => {
    await using open = await openAuth()
    const stopped = AbortSignal.abort(new Error('stopping'))
    await expect(forgetOldAudit(open, { days: 1, maxRows: 1000 }, stopped)).rejects.toThrow('stopping')
  })
})
