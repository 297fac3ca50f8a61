/**
 * Slows guessing of passwords down and locks nobody out. Attempts take turns by address, and within an address by
 * account. An address that failed often pauses after each failure, and an address without failures goes before those
 * with some; an account whose password was guessed wrongly often makes the refusals, and only those, come later. A right
 * password from an address without failures passes at once. Successes take nothing back: who has one account could
 * otherwise guess at all others.
 */
import { setTimeout as sleepFor } from 'node:timers/promises'
import type { Clock } from '../../lib/clock.ts'
import { FairTurns, TurnRefused } from '../../lib/turns/fair-turns.ts'
import { groupAddress } from '../../lib/group-address.ts'
import { Lru } from '../../lib/memory/lru.ts'
import { TooManyAttemptsError } from '../errors.ts'

export interface Attempt {
  readonly account: string
  readonly address: string
}

export interface LoginThrottle {
  /**
   * Runs `verify` when it is this address's turn; `undefined` of it counts as a failure. Throws `TooManyAttemptsError`,
   * at once or while it waits, when this is the attempt that is too many.
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
  /** Of the last one. */
  readonly at: number
}

/** People mistype. */
const freeFailures = 3
const firstDelayMs = 250
const maxDelayMs = 4_000
/** One failure is forgotten after each of these. */
const forgetMs = 30_000
const maxCount = 20
/** An address that is quiet for as long counts as one without failures. */
const cleanAfterMs = maxCount * forgetMs
/** Addresses and accounts; what fails within `cleanAfterMs` at forty hashes a second. */
const maxRemembered = 50_000
/** One more than the name of an account may have: what is longer is counted as one of those that none has. */
const maxAccountCharacters = 101
/** Hashes run one at a time; the others look their account up, or hang on a connection that broke. */
const turnsAtATime = 4
/** Half a minute of hashing: who waits longer has given up. */
const defaultMaxWaiting = 1_000
/** Some seconds of hashing, for a farm behind one address. */
const defaultMaxPerAddress = 100
/** Longer than any pause. */
const retryAfterSeconds = 5

export function createLoginThrottle(options: LoginThrottleOptions): LoginThrottle {
  const { maxWaiting = defaultMaxWaiting, maxPerAddress: maxPerParty = defaultMaxPerAddress } = options
  const { clock, sleep = sleepUnnoticed } = options
  const failures = new Lru<string, Failures>({ maxBytes: maxRemembered })
  const isFavoured = (address: string): boolean => recall(address) === undefined
  const turns = new FairTurns({ slots: turnsAtATime, maxWaiting, maxPerParty, isFavoured })

  /** A clock that was set back must not keep them for longer. */
  function recall(key: string): Failures | undefined {
    const known = failures.get(key)
    if (known === undefined) return undefined
    const at = Math.min(known.at, clock.now())
    if (clock.now() - at >= cleanAfterMs) {
      failures.delete(key)
      return undefined
    }
    if (at < known.at) failures.set(key, { ...known, at }, 1)
    return { ...known, at }
  }

  function countOf(key: string): number {
    const known = recall(key)
    if (known === undefined) return 0
    return Math.max(0, known.count - Math.floor((clock.now() - known.at) / forgetMs))
  }

  function addFailure(key: string): void {
    failures.set(key, { count: Math.min(countOf(key) + 1, maxCount), at: clock.now() }, 1)
  }

  function noteFailure(address: string, account: string): void {
    addFailure(account)
    addFailure(address)
    const pauseMs = delayAfter(countOf(address))
    if (pauseMs > 0) turns.rest(address, sleep(pauseMs))
  }

  return {
    async guard(attempt, verify) {
      const address = `address ${groupAddress(attempt.address)}`
      const account = `account ${attempt.account.slice(0, maxAccountCharacters)}`
      let heldMs = 0
      const turn = turns.run({ party: address, member: account }, async () => {
        const result = await verify()
        if (result !== undefined) return result
        heldMs = delayAfter(countOf(account))
        noteFailure(address, account)
        return undefined
      })
      const result = await turn.catch(refuseTurn)
      // Few are held at a time: each has cost a hash, and no delay is long.
      if (heldMs > 0) await sleep(heldMs)
      return result
    },
  }
}

function refuseTurn(error: unknown): never {
  if (!(error instanceof TurnRefused)) throw error
  throw new TooManyAttemptsError(retryAfterSeconds, { cause: error })
}

/** It holds no process back from its end: the connections of those that wait do. */
function sleepUnnoticed(ms: number): Promise<unknown> {
  return sleepFor(ms, undefined, { ref: false })
}

function delayAfter(failures: number): number {
  if (failures < freeFailures) return 0
  return Math.min(firstDelayMs * 2 ** (failures - freeFailures), maxDelayMs)
}
