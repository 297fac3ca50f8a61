/** Kinds of leaves that sections share. */
import { z } from 'zod'
import { quantity, type QuantityRange } from './quantities.ts'
import { Secret } from './secrets.ts'

export const oneMinuteMs = 60_000
export const oneDayMs = 24 * 60 * oneMinuteMs
export const oneMebibyte = 1024 * 1024

/** Timers of Node count milliseconds in a signed 32-bit integer, which is not quite 25 days; a longer one fires at once. */
const maxTimerMs = 24 * oneDayMs

/** A duration that a timer waits for. */
export const timer = (range: Omit<QuantityRange, 'max'>) =>
  quantity('milliseconds', { ...range, max: maxTimerMs })

export const port = () => z.int().min(0).max(65_535)

interface SecretMeta {
  readonly description: string
  readonly examples?: string[]
}

/** A text that becomes a `Secret`; `keys.ts` gives it a `_FILE` variable, and nothing prints it. */
export function secret(text: z.ZodString, meta: SecretMeta) {
  return text.meta({ ...meta, secret: true }).transform((value) => new Secret(value))
}
