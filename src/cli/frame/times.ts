/** Times that people write: `90d`, `12h`, `30m`, or a date. */
import { CliError, misused } from './command.ts'

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const durationPattern = /^(\d{1,5})([mhd])$/
const datePattern = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?Z)?$/

/** `0` is no time at all. Throws `CliError`. */
export function parseDuration(flag: string, text: string): number {
  if (text === '0') return 0
  const [, count, unit] = durationPattern.exec(text) ?? []
  if (unit === undefined) {
    throw new CliError(`${flag} takes a time like 30m, 12h or 90d, not ${text}`, { exitCode: misused })
  }
  return Number(count) * unitMs[unit as keyof typeof unitMs]
}

/** A moment: so long from now, or a date (UTC). Throws `CliError`. */
export function parseExpiry(flag: string, text: string, now: number): number {
  if (durationPattern.test(text)) return now + parseDuration(flag, text)
  const moment = datePattern.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(moment)) {
    throw new CliError(`${flag} takes a time like 12h or 90d, or a date like 2030-12-31, not ${text}`, {
      exitCode: misused,
    })
  }
  return moment
}
