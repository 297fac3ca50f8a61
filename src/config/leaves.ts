/** Schema leaves that several sections use. */
import { z } from 'zod'
import { quantity, type QuantityRange } from './quantities.ts'
import { Secret } from './secrets.ts'

export const oneMinuteMs = 60_000
export const oneDayMs = 24 * 60 * oneMinuteMs
export const oneMebibyte = 1024 * 1024

/** Node stores the delay of a timer as a signed 32-bit number of milliseconds, almost 25 days. A longer timer fires at once. */
const maxTimerMs = 24 * oneDayMs

/** A duration that is short enough for a timer. */
export const timer = (range: Omit<QuantityRange, 'max'>) =>
  quantity('milliseconds', { ...range, max: maxTimerMs })

export const port = () => z.int().min(0).max(65_535)

interface SecretMeta {
  readonly description: string
  readonly examples?: string[]
}

/** A string that is parsed into a `Secret`, which is never printed. `keys.ts` adds a `_FILE` variable for it. */
export function secret(text: z.ZodString, meta: SecretMeta) {
  return text.meta({ ...meta, secret: true }).transform((value) => new Secret(value))
}
