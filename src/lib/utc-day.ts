/** Days in UTC and their names. Folders with these names sort by date. */

export const dayMs = 86_400_000

/** Returns the start of the UTC day of a time, both in milliseconds since the epoch. */
export function dayOf(ms: number): number {
  return Math.floor(ms / dayMs) * dayMs
}

/** Returns the UTC day of a time, for example `2026-11-30`. */
export function formatDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

/** Returns the start of a day in the format of `formatDay`, or `undefined` for any other text. */
export function parseDay(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined
  const ms = Date.parse(`${text}T00:00:00.000Z`)
  return Number.isNaN(ms) || formatDay(ms) !== text ? undefined : ms
}
