/** Handles signals: the first TERM or INT requests a drain, a second one ends the process at once. HUP requests a reload. */
import { constants } from 'node:os'
import type { EventEmitter } from 'node:events'
import type { Clock } from '../../lib/clock.ts'
import type { StopSignals } from '../frame/command.ts'

interface StopSignalDeps {
  /** The process, or an emitter of signals in a test. */
  readonly emitter: EventEmitter
  readonly clock: Clock
  /** Exits the process with this code; `undefined` keeps the exit code already set. */
  readonly exit: (code: number | undefined) => void
}

const signals = ['SIGTERM', 'SIGINT'] as const

/** npm and the launcher pass on the INT that the terminal also sends to this process: one key press, two signals. */
const sameRequestMs = 200
/** How long the process may live on after a requested stop. Closing the log takes at most one second of it. */
const lingerMs = 3_000

export function listenForStop({ emitter, clock, exit }: StopSignalDeps): StopSignals {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  let firstAt: number | undefined
  const handle = (signal: (typeof signals)[number]) => {
    firstAt ??= clock.now()
    if (clock.now() - firstAt < sameRequestMs) resolve(signal)
    else exit(128 + constants.signals[signal])
  }
  for (const signal of signals) emitter.on(signal, handle)
  return {
    requested: promise,
    [Symbol.dispose]: () => {
      for (const signal of signals) emitter.off(signal, handle)
      // Only output that nobody reads, such as a notice to a stalled reader, keeps the process alive longer.
      if (firstAt !== undefined) setTimeout(() => exit(undefined), lingerMs).unref()
    },
  }
}

export function listenForReload(emitter: EventEmitter, reload: () => void): Disposable {
  const handle = (): void => reload()
  emitter.on('SIGHUP', handle)
  return { [Symbol.dispose]: () => void emitter.off('SIGHUP', handle) }
}
