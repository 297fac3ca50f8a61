/** The log of every command except `serve`: errors only, on standard error, because standard output is for results. */
import { createLogger, type Logger } from '../../telemetry/logger.ts'
import type { CliHost } from '../frame/command.ts'

export function createHostLogger(host: CliHost): Logger {
  return createLogger({ level: 'error', destination: { write: (line) => host.err(line.trimEnd()) } })
}
