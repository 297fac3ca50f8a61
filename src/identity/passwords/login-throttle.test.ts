import { setImmediate as settle } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createTestClock } from '../../../test/support/parts/open-registry.ts'
import { createLoginThrottle, type LoginThrottle } from './login-throttle.ts'

interface Subject {
  readonly throttle: LoginThrottle
  readonly clock: ReturnType<typeof createTestClock>
  readonly delays: number[]
}

function open(): Subject {
  const clock = createTestClock()
  const delays: number[] = []
  const sleep = (ms: number) => Promise.resolve(void delays.push(ms))
  return { clock, delays, throttle: createLoginThrottle({ clock, sleep }) }
}

const right = () => Promise.resolve('in')
const wrong = () => Promise.resolve(undefined)

async function fail(
  { throttle }: Pick<Subject, 'throttle'>,
  times: number,
  attempt = { account: 'bob', address: '192.0.2.1' },
) {
  for (let time = 0; time < times; time++) await throttle.guard(attempt, wrong)
}

describe('the login throttle', () => {
  test('does not delay a few mistakes', async () => {
    const subject = open()
    await fail(subject, 2)
    expect(subject.delays).toEqual([])
  })

  test('delays an address longer with each failure, up to some seconds', async () => {
    const subject = open()
    for (let time = 0; time < 12; time++) {
      await fail(subject, 1, { account: `name-${time}`, address: '192.0.2.1' })
    }
    expect(subject.delays).toEqual([250, 500, 1000, 2000, 4000, 4000, 4000, 4000, 4000, 4000])
  })

  test('delays refusals of an account with many failures, from any address', async () => {
    const subject = open()
    for (let time = 0; time < 5; time++) {
      await fail(subject, 1, { account: 'bob', address: `192.0.2.${time}` })
    }
    expect(subject.delays).toEqual([250, 500])
  })

  test('accepts a right password from an address without failures at once', async () => {
    const subject = open()
    await fail(subject, 50)
    subject.delays.length = 0
    const attempt = { account: 'bob', address: '198.51.100.7' }
    expect(await subject.throttle.guard(attempt, right)).toBe('in')
    expect(subject.delays).toEqual([])
  })

  test('never locks an account: the right password is accepted after a delay', async () => {
    const pause = Promise.withResolvers<void>()
    const throttle = createLoginThrottle({ clock: createTestClock(), sleep: () => pause.promise })
    await fail({ throttle }, 3)
    const login = throttle.guard({ account: 'bob', address: '192.0.2.1' }, right)
    expect(await Promise.race([login, settle('waits')])).toBe('waits')
    pause.resolve()
    expect(await login).toBe('in')
  })

  test('forgets failures over time', async () => {
    const subject = open()
    await fail(subject, 100)
    subject.delays.length = 0
    subject.clock.advance(20 * 30_000)
    await fail(subject, 2)
    expect(subject.delays).toEqual([])
  })

  test('treats an IPv6 /64 as one address, and a mapped address as its IPv4 address', async () => {
    const subject = open()
    await fail(subject, 2, { account: 'a', address: '2001:db8::1' })
    await fail(subject, 2, { account: 'b', address: '2001:db8:0:1::1' })
    await fail(subject, 2, { account: 'c', address: '::ffff:192.0.2.9' })
    expect(subject.delays).toEqual([])
    await fail(subject, 1, { account: 'd', address: '2001:0db8:0:0:ffff::2' })
    await fail(subject, 1, { account: 'e', address: '192.0.2.9' })
    expect(subject.delays).toEqual([250, 250])
  })

  test('counts failures of a name longer than any account name', async () => {
    const subject = open()
    const account = 'x'.repeat(60_000)
    for (let time = 0; time < 4; time++) await fail(subject, 1, { account, address: `192.0.2.${time}` })
    expect(subject.delays).toEqual([250])
  })

  test('keeps failures after a success: an own account gives no free guesses at others', async () => {
    const subject = open()
    for (let time = 0; time < 3; time++) {
      await fail(subject, 1)
      await subject.throttle.guard({ account: 'mallory', address: '192.0.2.1' }, right)
    }
    expect(subject.delays).toEqual([250])
  })

  test('remembers failures no longer when the clock is set back', async () => {
    const subject = open()
    await fail(subject, 1)
    subject.clock.advance(-365 * 24 * 60 * 60_000)
    await fail(subject, 1)
    expect(subject.delays).toEqual([])
    subject.clock.advance(20 * 30_000)
    await fail(subject, 2)
    expect(subject.delays).toEqual([])
  })

  test('forgets when the clock is set far ahead, and continues to count', async () => {
    const subject = open()
    await fail(subject, 2)
    subject.clock.advance(365 * 24 * 60 * 60_000)
    await fail(subject, 2)
    expect(subject.delays).toEqual([])
    await fail(subject, 1)
    expect(subject.delays).toEqual([250])
  })

  test('counts no failure when the password could not be checked', async () => {
    const { throttle, delays } = open()
    const broken = () => Promise.reject(new Error('no database'))
    for (let time = 0; time < 8; time++) {
      const attempt = throttle.guard({ account: 'bob', address: '192.0.2.1' }, broken)
      await expect(attempt).rejects.toThrow('no database')
    }
    expect(delays).toEqual([])
  })
})
