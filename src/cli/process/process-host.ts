/** The real process as the host of commands. */
import { processSources } from '../../config/load.ts'
import { monotonicClock } from '../../lib/clock.ts'
import { failed, OutputEnded } from '../frame/command.ts'
import type { CliHost, CliTerminal } from '../frame/command.ts'
import { ask, askSecret } from './ask.ts'
import { listenForReload, listenForStop } from './stop-signals.ts'
import { readText } from './read-text.ts'

export function createProcessHost(): CliHost {
  // A notice that cannot be written, on a full disk for instance, must not end a server.
  process.stderr.on('error', () => undefined)
  const output = watchOutput()
  return {
    out: (line) => {
      if (output.hasEnded) throw new OutputEnded()
      process.stdout.write(`${line}\n`)
    },
    err: (line) => void process.stderr.write(`${line}\n`),
    isTerminal: process.stderr.isTTY,
    ...(process.stderr.isTTY && { showProgress }),
    sources: processSources(),
    readStdin: () => readText(process.stdin),
    terminal: process.stdin.isTTY ? openTerminal() : undefined,
    listenForReload: (reload) => listenForReload(process, reload),
    listenForStop: () =>
      listenForStop({ emitter: process, clock: monotonicClock, exit: (code) => process.exit(code) }),
  }
}

/** Questions go to standard error, because standard output is for results. */
function openTerminal(): CliTerminal {
  const terminal = { input: process.stdin, output: process.stderr }
  return { ask: (label) => ask(terminal, label), askSecret: (label) => askSecret(terminal, label) }
}

/**
 * A reader that has seen enough, such as `head`, ends a command quietly. Any other failure to write is said once and
 * makes the command fail.
 */
function watchOutput(): { readonly hasEnded: boolean } {
  let hasEnded = false
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (hasEnded) return
    hasEnded = true
    if (error.code === 'EPIPE') return
    process.stderr.write(
      `lading: cannot write to standard output (${error.code}); what is missing there was not written\n`,
    )
    process.on('exit', () => (process.exitCode = failed))
  })
  return {
    get hasEnded() {
      return hasEnded
    },
  }
}

/** The carriage return goes back, and what stands there is erased; the next line of output comes in its place. */
function showProgress(text: string): void {
  process.stderr.write(`\r\u001B[K${text}`)
}
