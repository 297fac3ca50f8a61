/** The real process as the host of commands. */
import { processSources } from '../config/load.ts'
import { systemClock } from '../lib/clock.ts'
import type { CliHost } from './command.ts'
import { listenForStop } from './stop-signals.ts'

export function createProcessHost(): CliHost {
  return {
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    sources: processSources(),
    listenForStop: () =>
      listenForStop({ emitter: process, clock: systemClock, exit: (code) => process.exit(code) }),
  }
}
