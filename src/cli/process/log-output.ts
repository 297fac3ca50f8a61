/** Opens the log of the server on standard output, so that nothing that happens there can hold up or end the process. */
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
  /** A person reads the log and standard error on one terminal: what one of them says, the other need not repeat. */
  readonly sharesTerminal: boolean
  /** Lines that were dropped since the start, because they could not be written. */
  readonly droppedLines: () => number
  /** Makes the error the last line of the log and its message that of standard error, and ends the process with 1. */
  readonly endProcess: (error: Error) => void
}

export type OpenLogFunction = (options: Config['log']) => OpenLog

const standardOutput = 1
const standardError = 2
/** A stop waits so long for a reader of the log that is slow. */
const flushDeadlineMs = 1_000

const writeAsync = promisify(write)

/**
 * An uncaught error becomes the last line of the log. Disposing writes what is left, for one second at most, and says
 * on standard error how many lines could not be written.
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

/** For a person: a stack, which an uncaught error shows, would look like a fault of the program. */
function endProcess(error: Error, logger: Logger): void {
  logger.fatal({ err: error }, 'the database is lost or damaged; the process ends')
  tell(`lading: ${error.message}`)
  process.exit(failed)
}

/** Straight to the descriptor, which may be as broken as the log. */
function tell(line: string): void {
  try {
    writeSync(standardError, `${line}\n`)
  } catch {
    // Nowhere is left to say it.
  }
}

function reportLoss({ dropped, waiting, failure = 'nobody read it in time' }: LogQueue): void {
  const lost = dropped + waiting
  if (lost === 0) return
  tell(`lading: ${formatCount(lost, 'line')} of the log could not be written (${failure})`)
}

/**
 * A write to a file ends, so that a thread may wait for it. A write to a pipe, a socket or a terminal may wait for ever,
 * and so would the thread and the end of the process: these are written without waiting.
 */
function openSink(fd: number): LogSink {
  const stat = fstatSync(fd)
  if (stat.isFIFO() || stat.isSocket()) {
    // Makes the stream, which switches the descriptor to O_NONBLOCK; Node switches it back when the process ends.
    process.stdout.on('error', () => undefined)
    return { writeSync: (bytes) => writeSync(fd, bytes) }
  }
  // Stays open: lines may come until the process ends.
  const terminal = isatty(fd) ? reopenTerminal(fd) : undefined
  if (terminal !== undefined) return { writeSync: (bytes) => writeSync(terminal, bytes) }
  return {
    write: async (bytes) => (await writeAsync(fd, bytes)).bytesWritten,
    writeSync: (bytes) => writeSync(fd, bytes),
  }
}

/** The flag belongs to what was opened: set on the terminal itself it would also hit the shell. */
function reopenTerminal(fd: number): number | undefined {
  try {
    const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY
    return openSync(`/proc/self/fd/${fd}`, flags)
  } catch {
    // Another user's terminal, or a system without /proc: a thread waits for it instead.
    return undefined
  }
}
