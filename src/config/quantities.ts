/** Leaves that hold a duration or a size: a plain number in the unit of the key, or a text like `24h` or `10GiB`. */
import { z } from 'zod'
import {
  durationPattern,
  formatDuration,
  formatSize,
  readDuration,
  readSize,
  sizePattern,
} from '../lib/units.ts'

const oneDayMs = 86_400_000

interface Quantity {
  readonly kind: 'duration' | 'size'
  readonly pattern: RegExp
  /** Returns the number in the unit of the key, which need not be whole. */
  readonly read: (text: string) => number | undefined
  readonly format: (value: number) => string
  /** Values as people write them. */
  readonly examples: string
}

/** By the unit that a plain number has. */
const quantities = {
  milliseconds: {
    kind: 'duration',
    pattern: durationPattern,
    read: readDuration,
    format: formatDuration,
    examples: '90s or 24h',
  },
  days: {
    kind: 'duration',
    pattern: durationPattern,
    read: (text) => (readDuration(text) ?? Number.NaN) / oneDayMs,
    format: (days) => `${days}d`,
    examples: '30d',
  },
  bytes: {
    kind: 'size',
    pattern: sizePattern,
    read: readSize,
    format: formatSize,
    examples: '500MB or 10GiB',
  },
} as const satisfies Readonly<Record<string, Quantity>>

export type QuantityUnit = keyof typeof quantities

export function findQuantity(unit: QuantityUnit): Quantity {
  return quantities[unit]
}

export interface QuantityRange {
  readonly min: number
  readonly max?: number
  readonly default: number
}

/** A leaf whose value is a whole number of the unit. */
export function quantity(
  unit: QuantityUnit,
  { min, max = Number.MAX_SAFE_INTEGER, ...range }: QuantityRange,
) {
  const { pattern, read, format } = findQuantity(unit)
  const number = z.int().min(min).max(max)
  return (
    z
      .union([number, z.string().regex(pattern)])
      // The JSON Schema of a value that is transformed has no default of its own.
      .meta({ unit, default: format(range.default) })
      .transform((value) => (typeof value === 'string' ? read(value) : value))
      .pipe(number)
      .default(range.default)
  )
}
