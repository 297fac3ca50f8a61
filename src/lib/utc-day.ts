/** Days in UTC, and their names: folders named by them sort by date. */

export const dayMs = 86_400_000

/** Start of the UTC day that holds the time, both in milliseconds since the epoch. */
export function dayOf(ms: number): number {
  return Math.floor(ms / dayMs) * dayMs
}

/** `2026-11-30` for the day that holds the time. */
export function formatDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

/** Start of the day that `formatDay` wrote, `undefined` for any other text. */
export function parseDay(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined
  const ms = Date.parse(`${text}T00:00:00.000Z`)
  return Number.isNaN(ms) || formatDay(ms) !== text ? undefined : ms
}
