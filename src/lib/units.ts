/** Durations and sizes as people write them: `90s`, `24h`, `500MB`, `10GiB`. */

/** Sorted from the smallest unit to the largest. */
const durationUnits: readonly Unit[] = [
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]

const sizeUnits: readonly Unit[] = [
  ['B', 1],
  ['kB', 1e3],
  ['KB', 1e3],
  ['KiB', 2 ** 10],
  ['MB', 1e6],
  ['MiB', 2 ** 20],
  ['GB', 1e9],
  ['GiB', 2 ** 30],
  ['TB', 1e12],
  ['TiB', 2 ** 40],
]

type Unit = readonly [name: string, factor: number]

/** Matches a whole number and a unit, without a space. */
export const durationPattern = createPattern(durationUnits)
export const sizePattern = createPattern(sizeUnits)

/** Returns milliseconds, or `undefined` if the text is not a duration. */
export function readDuration(text: string): number | undefined {
  return read(text, durationPattern, durationUnits)
}

/** Returns bytes, or `undefined` if the text is not a size. */
export function readSize(text: string): number | undefined {
  return read(text, sizePattern, sizeUnits)
}

/** Returns the duration in the largest unit that gives a whole number: 90,000 ms is `90s`, 86,400,000 ms is `1d`. */
export function formatDuration(ms: number): string {
  return format(ms, durationUnits)
}

/** Returns the size in the largest unit that gives a whole number: 10,485,760 bytes are `10MiB`. */
export function formatSize(bytes: number): string {
  return format(bytes, sizeUnits)
}

function createPattern(units: readonly Unit[]): RegExp {
  return new RegExp(String.raw`^(\d+)(${units.map(([name]) => name).join('|')})$`)
}

function read(text: string, pattern: RegExp, units: readonly Unit[]): number | undefined {
  const [, count, unit] = pattern.exec(text) ?? []
  const factor = units.find(([name]) => name === unit)?.[1]
  return factor === undefined ? undefined : Number(count) * factor
}

function format(value: number, units: readonly Unit[]): string {
  const [name, factor] = units.findLast(([, one]) => value !== 0 && value % one === 0) ?? ['', 1]
  return `${value / factor}${name}`
}
