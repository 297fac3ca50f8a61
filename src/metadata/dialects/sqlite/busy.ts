/**
 * Waits for a busy SQLite database without blocking the event loop. SQLite's own busy handler sleeps on the thread, so
 * it is switched off (time-out 0), and the statement is retried from here.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { isBusy } from './errors.ts'

// A write transaction takes well under a millisecond; only a checkpoint or an upgrade takes longer.
const longestPauseMs = 8
const defaultPatienceMs = 10_000

/** Repeats `attempt` while it fails because the database is busy. After `patienceMs` the error is thrown. */
export async function retryWhileBusy<T>(
  attempt: () => T | Promise<T>,
  patienceMs: number = defaultPatienceMs,
): Promise<T> {
  let waitedMs = 0
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs + 1, longestPauseMs)) {
    try {
      return await attempt()
    } catch (error) {
      if (!isBusy(error) || waitedMs >= patienceMs) throw error
    }
    await sleep(pauseMs)
    waitedMs += pauseMs
  }
}
