import { describe, expect, test } from 'vitest'
import { createTestClock } from '../../test/support/open-registry.ts'
import { createLoginThrottle, type LoginThrottle } from './login-throttle.ts'

interface Subject {
  readonly throttle: LoginThrottle
  readonly clock: ReturnType<typeof createTestClock>
  readonly delays: number[]
}

function open(options: { maxWaiting?: number; maxPerAddress?: number } = {}): Subject {
  const clock = createTestClock()
  const delays: number[] = []
  const sleep = (ms: number) => Promise.resolve(void delays.push(ms))
  return { clock, delays, throttle: createLoginThrottle({ clock, sleep, ...options }) }
}

const right = () => Promise.resolve('in')
const wrong = () => Promise.resolve(undefined)

async function fail(
  { throttle }: Subject,
  times: number,
  attempt = { account: 'bob', address: '192.0.2.1' },
) {
  for (let time = 0; time < times; time++) await throttle.guard(attempt, wrong)
}

describe('the login throttle', () => {
  test('holds nobody for a few mistakes', async () => {
    const subject = open()
    await fail(subject, 3)
    expect(subject.delays).toEqual([])
  })

  test('holds an address longer with each failure, up to some seconds', async () => {
    const subject = open()
    for (let time = 0; time < 12; time++) {
      await fail(subject, 1, { account: `name-${time}`, address: '192.0.2.1' })
    }
    expect(subject.delays).toEqual([250, 500, 1000, 2000, 4000, 4000, 4000, 4000, 4000])
  })

  test('answers refusals of a much tried account later, wherever they come from', async () => {
    const subject = open()
    for (let time = 0; time < 5; time++) {
      await fail(subject, 1, { account: 'bob', address: `192.0.2.${time}` })
    }
    expect(subject.delays).toEqual([250, 500])
  })

  test('lets a right password from an address without failures pass at once', async () => {
    const subject = open()
    await fail(subject, 50)
    subject.delays.length = 0
    const attempt = { account: 'bob', address: '198.51.100.7' }
    expect(await subject.throttle.guard(attempt, right)).toBe('in')
    expect(subject.delays).toEqual([])
  })

  test('locks nobody out: the right password passes after a wait', async () => {
    const subject = open()
    await fail(subject, 100)
    subject.delays.length = 0
    expect(await subject.throttle.guard({ account: 'bob', address: '192.0.2.1' }, right)).toBe('in')
    expect(subject.delays).toEqual([4000])
  })

  test('forgets with time', async () => {
    const subject = open()
    await fail(subject, 100)
    subject.delays.length = 0
    subject.clock.advance(20 * 30_000)
    await fail(subject, 3)
    expect(subject.delays).toEqual([])
  })

  test('takes a /64 of IPv6 for one address, and a mapped address for what it maps', async () => {
    const subject = open()
    await fail(subject, 3, { account: 'a', address: '2001:db8::1' })
    await fail(subject, 1, { account: 'b', address: '2001:0db8:0:0:ffff::2' })
    await fail(subject, 1, { account: 'c', address: '2001:db8:0:1::1' })
    await fail(subject, 3, { account: 'd', address: '::ffff:192.0.2.9' })
    await fail(subject, 1, { account: 'e', address: '192.0.2.9' })
    expect(subject.delays).toEqual([250, 250])
  })

  test('refuses when so many wait that one more would wait too long', async () => {
    const clock = createTestClock()
    const gate = Promise.withResolvers<void>()
    const throttle = createLoginThrottle({ clock, sleep: () => gate.promise, maxWaiting: 2 })
    const attempt = (account: string) => throttle.guard({ account, address: '192.0.2.1' }, wrong)
    for (const account of ['a', 'b', 'c']) await attempt(account)
    const held = [attempt('d'), attempt('e')]
    await expect(attempt('f')).rejects.toMatchObject({ code: 'TOOMANYREQUESTS', retryAfterSeconds: 1 })
    gate.resolve()
    expect(await Promise.all(held)).toEqual([undefined, undefined])
  })

  test('gives one address a part of the places only, and gives them back', async () => {
    const { throttle } = open({ maxPerAddress: 2 })
    const gate = Promise.withResolvers<string>()
    const attempt = (address: string) => throttle.guard({ account: 'bob', address }, () => gate.promise)
    const held = [attempt('192.0.2.1'), attempt('192.0.2.1')]
    await expect(attempt('192.0.2.1')).rejects.toMatchObject({ code: 'TOOMANYREQUESTS' })
    held.push(attempt('192.0.2.2'))
    gate.resolve('in')
    expect(await Promise.all(held)).toEqual(['in', 'in', 'in'])
    expect(await attempt('192.0.2.1')).toBe('in')
  })
})
