/** The section `log` of the configuration. */
import { z } from 'zod'

/** `log.*`. */
export const log = z.strictObject({
  level: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('The least severe level that is logged.'),
  format: z
    .enum(['auto', 'json', 'pretty'])
    .default('auto')
    .describe(
      'Format of the log: `json`, one object per line; `pretty`, short lines for a person; or `auto`, which is `pretty` on a terminal and `json` otherwise.',
    ),
})
