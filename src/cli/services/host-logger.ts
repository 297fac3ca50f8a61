/** The log of commands that are no servers: faults only, on standard error, since standard output belongs to the results. */
import { createLogger, type Logger } from '../../telemetry/logger.ts'
import type { CliHost } from '../frame/command.ts'

export function createHostLogger(host: CliHost): Logger {
  return createLogger({ level: 'error', destination: { write: (line) => host.err(line.trimEnd()) } })
}
