/** Time as a dependency, so that expiry is tested without waiting. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }

/**
 * Milliseconds since the start of the process, with fractions. Unlike the time of day, it never jumps:
 * for timers, and for ages that never leave the process.
 */
export const monotonicClock: Clock = { now: () => performance.now() }
