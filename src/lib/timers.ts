/** Timers as a dependency, so that tests need not wait. */
export interface Timers {
  /** Calls `work` once after `ms` milliseconds; returns a function that cancels it. Does not keep the process alive. */
  after(ms: number, work: () => void): () => void
}

export const systemTimers: Timers = {
  after(ms, work) {
    const timer = setTimeout(work, ms).unref()
    return () => clearTimeout(timer)
  },
}
