/** Opens the log of the server on standard output. A slow reader or a failed write neither blocks nor ends the process. */
import { constants, fstatSync, openSync, write, writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import { promisify } from 'node:util'
import { monotonicClock } from '../../lib/clock.ts'
import { formatCount } from '../../lib/format-count.ts'
import type { Config } from '../../config/schema.ts'
import { LogQueue, type LogSink } from '../../telemetry/log-queue.ts'
import { createLogger, type Logger } from '../../telemetry/logger.ts'
import { formatPrettyLine } from '../../telemetry/pretty-line.ts'
import { failed } from '../frame/command.ts'

export interface OpenLog extends AsyncDisposable {
  readonly logger: Logger
  /** Whether the log and standard error appear on one terminal, so that a message is needed in only one of them. */
  readonly sharesTerminal: boolean
  /** Returns the number of lines that could not be written since the start. */
  readonly droppedLines: () => number
  /** Writes the error as the last line of the log and its message to standard error, then exits with 1. */
  readonly endProcess: (error: Error) => void
}

export type OpenLogFunction = (options: Config['log']) => OpenLog

const standardOutput = 1
const standardError = 2
/** How long a stop waits for a slow reader of the log. */
const flushDeadlineMs = 1_000

const writeAsync = promisify(write)

/**
 * Opens the log. An uncaught error becomes its last line. Disposing writes the remaining lines, for one second at most, and
 * reports on standard error how many could not be written.
 */
export function openLog({ level, format }: Config['log']): OpenLog {
  const isTerminal = isatty(standardOutput)
  const isPretty = format === 'pretty' || (format === 'auto' && isTerminal)
  const queue = new LogQueue({
    sink: openSink(standardOutput),
    monotonic: () => monotonicClock.now(),
    ...(isPretty && { format: formatPrettyLine }),
  })
  const logger = createLogger({ level, destination: queue })
  const onCrash = (error: unknown): void => logger.fatal({ err: error }, 'uncaught error; the process ends')
  const onExit = (): void => {
    queue.flushSync()
    reportLoss(queue)
  }
  process.on('uncaughtExceptionMonitor', onCrash)
  process.on('exit', onExit)
  return {
    logger,
    sharesTerminal: isPretty && isTerminal && isatty(standardError),
    droppedLines: () => queue.dropped,
    endProcess: (error) => setImmediate(endProcess, error, logger),
    async [Symbol.asyncDispose]() {
      await queue.flush(flushDeadlineMs)
      process.off('uncaughtExceptionMonitor', onCrash)
      process.off('exit', onExit)
      reportLoss(queue)
    },
  }
}

/** Ends the process without an uncaught error, whose stack would look like a fault of the program. */
function endProcess(error: Error, logger: Logger): void {
  logger.fatal({ err: error }, 'the database is lost or damaged; the process ends')
  writeNotice(`lading: ${error.message}`)
  process.exit(failed)
}

/** Writes to the descriptor of standard error, which may be as broken as the log. */
function writeNotice(line: string): void {
  try {
    writeSync(standardError, `${line}\n`)
  } catch {
    // There is no other place to report it.
  }
}

function reportLoss({ dropped, waiting, failure = 'the reader was too slow' }: LogQueue): void {
  const lost = dropped + waiting
  if (lost === 0) return
  writeNotice(`lading: ${formatCount(lost, 'line')} of the log could not be written (${failure})`)
}

/**
 * A write to a file always ends, so a thread waits for it. A write to a pipe, a socket or a terminal may block for ever,
 * and with it the thread and the exit of the process, so these writes do not block.
 */
function openSink(fd: number): LogSink {
  const stat = fstatSync(fd)
  if (stat.isFIFO() || stat.isSocket()) {
    // Creates the stream, which sets O_NONBLOCK on the descriptor. Node resets the flag when the process ends.
    process.stdout.on('error', () => undefined)
    return { writeSync: (bytes) => writeSync(fd, bytes) }
  }
  // Never closed, because lines may arrive until the process ends.
  const terminal = isatty(fd) ? reopenTerminal(fd) : undefined
  if (terminal !== undefined) return { writeSync: (bytes) => writeSync(terminal, bytes) }
  return {
    write: async (bytes) => (await writeAsync(fd, bytes)).bytesWritten,
    writeSync: (bytes) => writeSync(fd, bytes),
  }
}

/** Opens the terminal again without blocking. The flag on the inherited descriptor would also affect the shell. */
function reopenTerminal(fd: number): number | undefined {
  try {
    const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY
    return openSync(`/proc/self/fd/${fd}`, flags)
  } catch {
    // The terminal of another user, or a system without /proc: a thread waits for the writes instead.
    return undefined
  }
}
