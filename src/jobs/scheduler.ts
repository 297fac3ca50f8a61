/**
 * @module
 * Runs each job at its interval and under its lease, never two runs of a job at once. A failure is logged, and the job runs again
 * at its next turn. `wake` brings a turn forward. Disposing stops the timers and waits for running jobs.
 */
import { systemTimers, type Timers } from '../lib/timers.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Job } from './job.ts'
import { Leases, type LeaseDeps } from './lease.ts'

export interface SchedulerDeps extends LeaseDeps {
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
  /** Default: the timers of the process. */
  readonly timers?: Timers
}

export interface Scheduler extends AsyncDisposable {
  /** Runs the job soon instead of at its next turn. */
  wake(name: string): void
}

/** Delay between a wake and the run, so that a burst of wakes causes one run. */
const wakeDelayMs = 100
/** Delay of the first turn, so that it does not slow down the start. */
const firstDelayMs = 1_000

export function startScheduler(deps: SchedulerDeps, jobs: readonly Job[]): Scheduler {
  const stop = new AbortController()
  const parts = { ...deps, leases: new Leases(deps) }
  const loops = new Map(jobs.map((job) => [job.name, startLoop(parts, job, stop.signal)]))
  return {
    wake: (name) => loops.get(name)?.schedule(wakeDelayMs),
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the registry is stopping'))
      await Promise.all([...loops.values()].map((loop) => loop.idle()))
    },
  }
}

interface Loop {
  schedule(delayMs: number): void
  idle(): Promise<void>
}

interface LoopDeps extends SchedulerDeps {
  readonly leases: Leases
}

function startLoop(deps: LoopDeps, job: Job, signal: AbortSignal): Loop {
  const { monotonic, timers = systemTimers } = deps
  let cancelTimer: (() => void) | undefined
  let dueAt = Number.POSITIVE_INFINITY
  let running: Promise<void> | undefined
  /** A turn waits for the previous run. */
  let isWaiting = false
  const schedule = (delayMs: number): void => {
    const at = monotonic.now() + delayMs
    if (signal.aborted || at >= dueAt) return
    cancelTimer?.()
    dueAt = at
    cancelTimer = timers.after(delayMs, turn)
  }
  const turn = (): void => {
    dueAt = Number.POSITIVE_INFINITY
    // Wakes during a run cause one more run right after it: they may be about items that the run has already passed.
    if (isWaiting) return
    isWaiting = true
    const previous = running
    running = (async () => {
      await previous
      isWaiting = false
      if (signal.aborted) return
      schedule(Math.min(job.everyMs, (await runOnce(deps, job, signal)) ?? job.everyMs))
    })()
  }
  signal.addEventListener('abort', () => cancelTimer?.(), { once: true })
  schedule(Math.min(firstDelayMs, job.everyMs))
  return { schedule, idle: async () => running }
}

/** Returns the milliseconds until another look is due, or `undefined` if that can wait for the next turn. */
async function runOnce(deps: LoopDeps, job: Job, signal: AbortSignal): Promise<number | undefined> {
  try {
    const outcome = await deps.leases.run({ name: job.name, signal }, (until) => job.run(until))
    if (outcome.kind === 'held') return outcome.lookAgainMs
    if (outcome.value > 0) deps.log.info({ job: job.name, done: outcome.value }, 'job done')
  } catch (error) {
    if (signal.aborted) return undefined
    deps.log.error({ job: job.name, err: error }, 'job failed; it runs again at its next turn')
  }
  return undefined
}
