/** The section `metrics` of the configuration: who may read the metrics, and where. */
import { z } from 'zod'
import { port, secret } from '../leaves.ts'
import { defaultHost } from './http.ts'

/** Guessing must not pay: 16 characters are more than 90 bits when they are random. */
const minMetricsTokenChars = 16

/** `metrics.*`. */
export const metrics = z.strictObject({
  host: z.string().min(1).default(defaultHost).describe('Address of the listener for metrics alone.'),
  port: port()
    .optional()
    .describe(
      'Port of a listener that serves `/metrics` to everyone who reaches it. By default there is none.',
    ),
  token: secret(z.string().min(minMetricsTokenChars), {
    description: `Serves \`/metrics\` on the main listener to those who send it as bearer token; ${minMetricsTokenChars} characters at least.`,
  }).optional(),
})
