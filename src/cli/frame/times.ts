/** Parses times as people write them: `90d`, `12h`, `30m`, `90s`, or a date. */
import { readDuration } from '../../lib/units.ts'
import { misuse } from './command.ts'

/** Long enough for any expiry, and short enough for dates to stay valid. */
const maxDurationMs = 99_999 * 86_400_000
const datePattern = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/
/** A time without a zone, in the zone of this machine. */
const localPattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?$/

/** Returns milliseconds; `0` is valid. Throws `CliError`. */
export function parseDuration(option: string, text: string): number {
  const duration = text === '0' ? 0 : findDuration(text)
  if (duration !== undefined) return duration
  throw misuse(`${option} takes a time like 30m, 12h or 90d, not ${text}`)
}

/** Parses an expiry: `12h` from now, or a date (UTC). Returns milliseconds since the epoch. Throws `CliError`. */
export function parseExpiry(option: string, text: string, now: number): number {
  const duration = findDuration(text)
  const moment = duration === undefined ? findDate(text) : now + duration
  if (moment !== undefined) return moment
  throw misuse(`${option} takes a time like 12h or 90d, or a date like 2030-12-31, not ${text}`)
}

/** Parses a past time: `12h` ago, or a date. Returns milliseconds since the epoch. Throws `CliError`. */
export function parsePast(option: string, text: string, now: number): number {
  const duration = findDuration(text)
  const moment = duration === undefined ? findDate(text, [datePattern, localPattern]) : now - duration
  if (moment !== undefined) return moment
  throw misuse(
    `${option} ${text} is not a valid time; write a date like 2026-01-31, a time like 2026-01-31T12:00:00Z, or an age like 7d, 12h or 30m`,
  )
}

function findDuration(text: string): number | undefined {
  const duration = readDuration(text)
  return duration !== undefined && duration <= maxDurationMs ? duration : undefined
}

function findDate(text: string, patterns = [datePattern]): number | undefined {
  const moment = patterns.some((pattern) => pattern.test(text)) ? Date.parse(text) : Number.NaN
  return Number.isNaN(moment) ? undefined : moment
}
