/** The `CliHost` of the real process. */
import { processSources } from '../../config/load.ts'
import { monotonicClock } from '../../lib/clock.ts'
import { failed, OutputEnded } from '../frame/command.ts'
import type { CliHost, CliTerminal } from '../frame/command.ts'
import { ask, askSecret } from './ask.ts'
import { listenForReload, listenForStop } from './stop-signals.ts'
import { readText } from './read-text.ts'

export function createProcessHost(): CliHost {
  // A notice that cannot be written, for example because the disk is full, must not stop a server.
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
 * Watches for errors on standard output. A reader that stops early, such as `head`, ends the command quietly. Any other
 * write error is reported once and makes the command fail.
 */
function watchOutput(): { readonly hasEnded: boolean } {
  let hasEnded = false
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (hasEnded) return
    hasEnded = true
    if (error.code === 'EPIPE') return
    process.stderr.write(
      `lading: cannot write to standard output (${error.code}); the output is incomplete\n`,
    )
    process.on('exit', () => (process.exitCode = failed))
  })
  return {
    get hasEnded() {
      return hasEnded
    },
  }
}

/** Returns to the start of the line, erases it and writes the text, which the next output replaces. */
function showProgress(text: string): void {
  process.stderr.write(`\r\u001B[K${text}`)
}
