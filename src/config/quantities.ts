/** Schema leaves for durations and sizes: a plain number in the unit of the key, or a string like `24h` or `10GiB`. */
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
  /** Returns the number in the unit of the key, possibly with a fraction. */
  readonly read: (text: string) => number | undefined
  readonly format: (value: number) => string
  /** Example values for error messages and the documentation. */
  readonly examples: string
}

/** Each kind of quantity by the unit of a plain number. */
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
      // The default is set here too, because zod writes no default into the JSON Schema of a transformed value.
      .meta({ unit, default: format(range.default) })
      .transform((value) => (typeof value === 'string' ? read(value) : value))
      .pipe(number)
      .default(range.default)
  )
}
