/** The section `log` of the configuration. */
import { z } from 'zod'

/** `log.*`. */
export const log = z.strictObject({
  level: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('The least severe level that is logged.'),
})
