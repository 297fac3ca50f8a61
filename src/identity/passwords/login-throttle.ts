/**
 * Slows down password guessing without locking anyone out. Attempts take turns by address, and within an address by account. An
 * address with many failures pauses after each failure, and addresses without failures go first. Many wrong guesses for an account
 * delay only its refusals. A correct password from an address without failures passes at once. A success does not reset failures:
 * the owner of one account could otherwise guess at all others.
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
   * Runs `verify` when it is this address's turn; the result `undefined` counts as a failure. Throws `TooManyAttemptsError`, at
   * once or while waiting, if the queue is full.
   */
  guard<T>(attempt: Attempt, verify: () => Promise<T | undefined>): Promise<T | undefined>
}

export interface LoginThrottleOptions {
  readonly clock: Clock
  readonly sleep?: (ms: number) => Promise<unknown>
  /** The most waiting attempts of all addresses together. */
  readonly maxWaiting?: number
  readonly maxPerAddress?: number
}

interface Failures {
  readonly count: number
  /** The time of the last failure. */
  readonly at: number
}

/** Failures without a delay: people mistype. */
const freeFailures = 3
const firstDelayMs = 250
const maxDelayMs = 4_000
/** One failure is forgotten per this time. */
const forgetMs = 30_000
const maxCount = 20
/** After this time without failures, an address counts as one without failures. */
const cleanAfterMs = maxCount * forgetMs
/** The most addresses and accounts remembered: the failures within `cleanAfterMs` at forty hashes a second. */
const maxRemembered = 50_000
/** One more than an account name may have: longer names all count as one name that no account has. */
const maxAccountCharacters = 101
/** Only one hash runs at a time; attempts in the other turns look up accounts or wait on a broken connection. */
const turnsAtATime = 4
/** Half a minute of hashing: clients do not wait longer. */
const defaultMaxWaiting = 1_000
/** A few seconds of hashing, enough for a build farm behind one address. */
const defaultMaxPerAddress = 100
/** Longer than any pause. */
const retryAfterSeconds = 5

export function createLoginThrottle(options: LoginThrottleOptions): LoginThrottle {
  const { maxWaiting = defaultMaxWaiting, maxPerAddress: maxPerParty = defaultMaxPerAddress } = options
  const { clock, sleep = sleepUnnoticed } = options
  const failures = new Lru<string, Failures>({ maxBytes: maxRemembered })
  const isFavoured = (address: string): boolean => recall(address) === undefined
  const turns = new FairTurns({ slots: turnsAtATime, maxWaiting, maxPerParty, isFavoured })

  /** Setting the clock back must not prolong them. */
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
      // Few are delayed at once: each cost a hash, and delays are short.
      if (heldMs > 0) await sleep(heldMs)
      return result
    },
  }
}

function refuseTurn(error: unknown): never {
  if (!(error instanceof TurnRefused)) throw error
  throw new TooManyAttemptsError(retryAfterSeconds, { cause: error })
}

/** Does not keep the process alive; the connections of the waiting clients do. */
function sleepUnnoticed(ms: number): Promise<unknown> {
  return sleepFor(ms, undefined, { ref: false })
}

function delayAfter(failures: number): number {
  if (failures < freeFailures) return 0
  return Math.min(firstDelayMs * 2 ** (failures - freeFailures), maxDelayMs)
}
