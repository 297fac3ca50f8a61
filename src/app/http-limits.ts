/** Combines the configured limits of the HTTP layer with the fixed ones. */
import type { Config } from '../config/schema.ts'
import { fixedHttpLimits, type HttpLimits } from '../http/limits.ts'

export function createHttpLimits(configured: Config['limits']): HttpLimits {
  const { idleTimeoutMs, replyIdleTimeoutMs, ...others } = configured
  return { ...fixedHttpLimits, ...others, bodyIdleMs: idleTimeoutMs, replyIdleMs: replyIdleTimeoutMs }
}
