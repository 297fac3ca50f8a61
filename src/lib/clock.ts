/** Time as a dependency, so that expiry is tested without waiting. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }

/**
 * Milliseconds since the start of the process, with fractions. Nobody sets it back or forward, unlike the time of day:
 * for timers, and for ages that never leave the process.
 */
export const monotonicClock: Clock = { now: () => performance.now() }
