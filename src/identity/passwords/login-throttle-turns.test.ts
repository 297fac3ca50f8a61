/** Tests the order in which the throttle checks passwords that arrive at the same time, and which of them it refuses. */
import { setImmediate as settle } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createTestClock, type TestClock } from '../../../test/support/parts/open-registry.ts'
import { createLoginThrottle } from './login-throttle.ts'

interface Pause {
  readonly ms: number
  end(): void
}

type Outcome = 'in' | 'wrong' | 'refused' | 'waits'

interface Subject {
  readonly clock: TestClock
  /** Each check ends when the test ends it. */
  readonly pauses: Pause[]
  /** The accounts whose password was checked, in order. */
  readonly checked: string[]
  guess(account: string, address: string): Promise<Outcome>
  login(account: string, address: string): Promise<Outcome>
  /** From now on, checks of passwords do not finish until the returned function is called. */
  hold(): () => void
}

function open(options: { maxWaiting?: number; maxPerAddress?: number } = {}): Subject {
  const clock = createTestClock()
  const pauses: Pause[] = []
  const checked: string[] = []
  let held = Promise.resolve()
  const sleep = (ms: number) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    pauses.push({ ms, end: resolve })
    return promise
  }
  const throttle = createLoginThrottle({ clock, sleep, ...options })
  async function attempt(result: 'in' | undefined, account: string, address: string): Promise<Outcome> {
    const verify = async () => {
      checked.push(account)
      await held
      return result
    }
    return await throttle.guard({ account, address }, verify).then(
      (passed) => passed ?? 'wrong',
      (error: unknown) => {
        expect(error).toMatchObject({ code: 'TOOMANYREQUESTS', retryAfterSeconds: 5 })
        return 'refused'
      },
    )
  }
  return {
    clock,
    pauses,
    checked,
    guess: (account, address) => attempt(undefined, account, address),
    login: (account, address) => attempt('in', account, address),
    hold() {
      const gate = Promise.withResolvers<void>()
      held = gate.promise
      return gate.resolve
    },
  }
}

const clean = '198.51.100.7'

function addresses(count: number): string[] {
  return Array.from({ length: count }, (_none, index) => `192.0.2.${index}`)
}

/** Causes one failure per address, each for a different account. */
async function makeDirty(subject: Subject, from: readonly string[]): Promise<void> {
  for (const address of from) await subject.guess(`first of ${address}`, address)
  subject.checked.length = 0
}

function now(outcome: Promise<Outcome>): Promise<Outcome> {
  return Promise.race([outcome, settle<Outcome>('waits')])
}

describe('attempts at once', () => {
  test('of one address take turns: a hundred at once are as slow as in sequence', async () => {
    const subject = open()
    const guesses = addresses(100).map((name) => subject.guess(`name of ${name}`, '203.0.113.5'))
    await settle()
    expect(subject.checked).toHaveLength(3)
    expect(subject.pauses.map(({ ms }) => ms)).toEqual([250])
    subject.pauses[0]?.end()
    await settle()
    expect(subject.checked).toHaveLength(4)
    expect(subject.pauses.map(({ ms }) => ms)).toEqual([250, 500])
    expect(await Promise.all(guesses.slice(0, 4))).toEqual(['wrong', 'wrong', 'wrong', 'wrong'])
  })

  test('of a failing robot leave a turn to each other account at the same address, and delay none of them', async () => {
    const subject = open()
    for (let time = 0; time < 5; time++) void subject.guess('robot', clean)
    await settle()
    const neighbours = ['alice', 'bob', 'carol'].map((name) => subject.login(name, clean))
    await settle()
    expect(subject.checked).toEqual(['robot', 'robot', 'robot'])
    subject.pauses[0]?.end()
    await settle()
    expect(subject.checked.slice(3)).toEqual(['robot'])
    subject.pauses[1]?.end()
    expect(await Promise.all(neighbours)).toEqual(['in', 'in', 'in'])
    expect(subject.checked.slice(4)).toEqual(['alice', 'bob', 'carol', 'robot'])
  })

  test('of addresses with failures come after those without', async () => {
    const subject = open()
    await makeDirty(subject, addresses(10))
    const release = subject.hold()
    for (const address of addresses(10)) void subject.guess(`guess of ${address}`, address)
    const logins = [subject.login('alice', clean), subject.login('bob', '198.51.100.8')]
    await settle()
    expect(subject.checked).toEqual(addresses(4).map((address) => `guess of ${address}`))
    release()
    expect(await Promise.all(logins)).toEqual(['in', 'in'])
    await settle()
    expect(subject.checked.slice(4, 6)).toEqual(['alice', 'bob'])
    expect(subject.checked).toHaveLength(12)
  })

  test('of an address come last for ten minutes after its last failure, but a few failures delay nothing', async () => {
    const subject = open()
    const placeAmongThree = async (): Promise<number> => {
      const release = subject.hold()
      subject.checked.length = 0
      for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4']) void subject.login('x', address)
      const logins = ['192.0.2.0', clean, '198.51.100.8'].map((from) => subject.login(`from ${from}`, from))
      release()
      expect(await Promise.all(logins)).toEqual(['in', 'in', 'in'])
      return subject.checked.slice(4).indexOf('from 192.0.2.0')
    }
    await makeDirty(subject, ['192.0.2.0'])
    subject.clock.advance(10 * 60_000 - 1)
    expect(await placeAmongThree()).toBe(2)
    subject.clock.advance(1)
    expect(await placeAmongThree()).toBeLessThan(2)
    expect(subject.pauses).toEqual([])
  })

  test('of a user wait for a few turns only behind hundreds of addresses, all without failures', async () => {
    const subject = open()
    const release = subject.hold()
    for (const address of addresses(200)) void subject.guess(`guess of ${address}`, address)
    const login = subject.login('alice', clean)
    release()
    expect(await login).toBe('in')
    expect(subject.checked.indexOf('alice')).toBeLessThan(4 + 3)
  })

  test('of many attackers fill the places without taking one from an address without failures', async () => {
    const subject = open({ maxWaiting: 20 })
    await makeDirty(subject, addresses(30))
    const release = subject.hold()
    const guesses = Array.from({ length: 10 }, () => addresses(30).map((it) => subject.guess(`at ${it}`, it)))
    const before = await Promise.all(guesses.flat().map(now))
    expect(before.filter((outcome) => outcome === 'refused')).toHaveLength(300 - 20 - 4)
    const login = subject.login('alice', clean)
    const after = await Promise.all(guesses.flat().map(now))
    expect(after.filter((outcome) => outcome === 'refused')).toHaveLength(300 - 20 - 4 + 1)
    expect(await now(login)).toBe('waits')
    release()
    expect(await login).toBe('in')
    expect(subject.checked.indexOf('alice')).toBe(4)
  })

  test('of one address share a part of the places, where the account with the most loses its newest', async () => {
    const subject = open({ maxPerAddress: 3 })
    const release = subject.hold()
    const robot = Array.from({ length: 4 }, () => subject.guess('robot', clean))
    const [alice, bob] = [subject.login('alice', clean), subject.login('bob', clean)]
    const others = addresses(10).map((address) => subject.login('carol', address))
    expect(await Promise.all(robot.map(now))).toEqual(['waits', 'waits', 'refused', 'refused'])
    release()
    expect(await Promise.all([alice, bob, ...others])).toEqual(Array.from({ length: 12 }, () => 'in'))
    expect(await subject.login('carol', clean)).toBe('in')
  })

  test('cost the same whether or not the name exists: the typed name is counted', async () => {
    const subject = open()
    const outcomes = addresses(6).map((address) => subject.guess('nobody', address))
    await settle()
    expect(subject.checked).toHaveLength(6)
    expect(subject.pauses.map(({ ms }) => ms)).toEqual([250, 500, 1000])
    expect(await Promise.all(outcomes.map(now))).toEqual([
      'wrong',
      'wrong',
      'wrong',
      'waits',
      'waits',
      'waits',
    ])
  })
})
