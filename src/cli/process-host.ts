/** The real process as the host of commands. */
import { constants } from 'node:os'
import { processSources } from '../config/load.ts'
import { monotonicClock } from '../lib/clock.ts'
import { failed, type CliHost } from './command.ts'
import { askSecret } from './ask-secret.ts'
import { listenForReload, listenForStop } from './stop-signals.ts'
import { readText } from './read-text.ts'

export function createProcessHost(): CliHost {
  // A notice that cannot be written, on a full disk for instance, must not end a server.
  process.stderr.on('error', () => undefined)
  let output: NodeJS.WriteStream | undefined
  return {
    out: (line) => void (output ??= openOutput()).write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    ...(process.stderr.isTTY && { showProgress }),
    sources: processSources(),
    readStdin: () => readText(process.stdin),
    askSecret: process.stdin.isTTY
      ? (label) => askSecret({ input: process.stdin, output: process.stderr }, label)
      : undefined,
    listenForReload: (reload) => listenForReload(process, reload),
    listenForStop: () =>
      listenForStop({ emitter: process, clock: monotonicClock, exit: (code) => process.exit(code) }),
  }
}

/** For results, which `serve` has none of: a result that cannot be written ends the command, quietly where nobody reads it. */
function openOutput(): NodeJS.WriteStream {
  return process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(128 + constants.signals.SIGPIPE)
    process.stderr.write(`lading: the result cannot be written to standard output: ${error.message}\n`)
    process.exit(failed)
  })
}

/** The carriage return goes back, and what stands there is erased; the next line of output comes in its place. */
function showProgress(text: string): void {
  process.stderr.write(`\r\u001B[K${text}`)
}
