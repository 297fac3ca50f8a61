/** The section `metrics` of the configuration: where metrics are served, and to whom. */
import { z } from 'zod'
import { port, secret } from '../leaves.ts'
import { defaultHost } from './http.ts'

/** Long enough to rule out guessing: 16 random characters are more than 90 bits. */
const minMetricsTokenChars = 16

/** `metrics.*`. */
export const metrics = z.strictObject({
  host: z.string().min(1).default(defaultHost).describe('Address of the separate listener for metrics.'),
  port: port()
    .optional()
    .describe(
      'Port of a separate listener for `/metrics`. Anyone who can connect to it can read the metrics, unless `metrics.token` is set. By default, Lading opens no such listener.',
    ),
  token: secret(z.string().min(minMetricsTokenChars), {
    description: `Bearer token, at least ${minMetricsTokenChars} characters, for reading \`/metrics\`. With it, the main listener serves \`/metrics\` too.`,
  }).optional(),
})
