/** TERM and INT: the first asks to drain, a second one ends the process at once. HUP asks to read files again. */
import { constants } from 'node:os'
import type { EventEmitter } from 'node:events'
import type { Clock } from '../../lib/clock.ts'
import type { StopSignals } from '../frame/command.ts'

interface StopSignalDeps {
  /** The process, or what emits signals in a test. */
  readonly emitter: EventEmitter
  readonly clock: Clock
  /** `undefined`: with the code that is set. */
  readonly exit: (code: number | undefined) => void
}

const signals = ['SIGTERM', 'SIGINT'] as const

/** npm and the launcher pass on the INT that a terminal sends to them and to us: one key press, two signals. */
const sameRequestMs = 200
/** From the end of a stop that was asked for; closing the log takes one second of it at most. */
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
      // Only what nobody takes, a notice to a reader that stalls for instance, keeps the process alive any longer.
      if (firstAt !== undefined) setTimeout(() => exit(undefined), lingerMs).unref()
    },
  }
}

export function listenForReload(emitter: EventEmitter, reload: () => void): Disposable {
  const handle = (): void => reload()
  emitter.on('SIGHUP', handle)
  return { [Symbol.dispose]: () => void emitter.off('SIGHUP', handle) }
}
