/** Timers as a dependency, so that what happens after a while is tested without waiting. */
export interface Timers {
  /** Calls `work` once after so many milliseconds; returns how to call it off. Keeps no process alive. */
  after(ms: number, work: () => void): () => void
}

export const systemTimers: Timers = {
  after(ms, work) {
    const timer = setTimeout(work, ms).unref()
    return () => clearTimeout(timer)
  },
}
