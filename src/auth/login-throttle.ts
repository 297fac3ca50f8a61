/**
 * Slows guessing of passwords down and locks nobody out. An address that failed often waits before its next password is
 * looked at; an account whose password was guessed wrongly often makes the refusals, and only those, come later. A right
 * password from an address without failures passes at once.
 */
import { setTimeout as sleepFor } from 'node:timers/promises'
import type { Clock } from '../lib/clock.ts'
import { Lru } from '../lib/lru.ts'
import { TooManyAttemptsError } from './errors.ts'

export interface Attempt {
  readonly account: string
  readonly address: string
}

export interface LoginThrottle {
  /**
   * Runs `verify` when it is this address's turn; `undefined` of it counts as a failure. Throws `TooManyAttemptsError`
   * when so many of the address, or of all, wait that one more would wait too long.
   */
  guard<T>(attempt: Attempt, verify: () => Promise<T | undefined>): Promise<T | undefined>
}

export interface LoginThrottleOptions {
  readonly clock: Clock
  readonly sleep?: (ms: number) => Promise<unknown>
  /** Of all addresses together; so many requests may be held at a time. */
  readonly maxWaiting?: number
  readonly maxPerAddress?: number
}

interface Failures {
  readonly count: number
  readonly at: number
}

/** People mistype. */
const freeFailures = 3
const firstDelayMs = 250
const maxDelayMs = 4_000
/** One failure is forgotten after each of these. */
const forgetMs = 30_000
const maxCount = 20
/** Addresses and accounts that are remembered, the longest quiet ones are forgotten. */
const maxRemembered = 20_000
const defaultMaxWaiting = 200
const defaultMaxPerAddress = 50

export function createLoginThrottle(options: LoginThrottleOptions): LoginThrottle {
  const { maxWaiting = defaultMaxWaiting, maxPerAddress = defaultMaxPerAddress } = options
  const { clock, sleep = sleepFor } = options
  const failures = new Lru<string, Failures>({ maxBytes: maxRemembered })
  const busy = new Map<string, number>()
  let waiting = 0

  function countOf(key: string): number {
    const known = failures.get(key)
    if (known === undefined) return 0
    return Math.max(0, known.count - Math.floor((clock.now() - known.at) / forgetMs))
  }

  function addFailure(key: string): void {
    failures.set(key, { count: Math.min(countOf(key) + 1, maxCount), at: clock.now() }, 1)
  }

  async function wait(ms: number): Promise<void> {
    if (ms === 0) return
    if (waiting >= maxWaiting) throw new TooManyAttemptsError(Math.ceil(ms / 1000))
    waiting += 1
    try {
      await sleep(ms)
    } finally {
      waiting -= 1
    }
  }

  return {
    async guard(attempt, verify) {
      const address = `address ${groupAddress(attempt.address)}`
      const account = `account ${attempt.account.slice(0, 200)}`
      using _turn = enter(busy, address, maxPerAddress)
      await wait(delayAfter(countOf(address)))
      const result = await verify()
      if (result !== undefined) return result
      const before = countOf(account)
      addFailure(address)
      addFailure(account)
      await wait(delayAfter(before))
      return undefined
    },
  }
}

function enter(busy: Map<string, number>, address: string, max: number): Disposable {
  const count = busy.get(address) ?? 0
  if (count >= max) throw new TooManyAttemptsError(1)
  busy.set(address, count + 1)
  return {
    [Symbol.dispose]() {
      const left = (busy.get(address) ?? 1) - 1
      if (left === 0) busy.delete(address)
      else busy.set(address, left)
    },
  }
}

function delayAfter(failures: number): number {
  if (failures < freeFailures) return 0
  return Math.min(firstDelayMs * 2 ** (failures - freeFailures), maxDelayMs)
}

/** One customer of a provider has a whole IPv6 /64. */
function groupAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped?.[1] !== undefined) return mapped[1]
  if (!address.includes(':')) return address
  const [head = '', tail] = address.toLowerCase().split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0')
  return [...first, ...zeros, ...last]
    .slice(0, 4)
    .map((part) => part.replace(/^0+(?=.)/, ''))
    .join(':')
}
