/** The section `tracing` of the configuration. */
import { z } from 'zod'
import { isHttpUrl } from '../forms.ts'

/** `tracing.*`. */
export const tracing = z.strictObject({
  endpoint: z
    .string()
    .refine(isHttpUrl)
    .optional()
    .meta({
      description:
        'URL that receives the traces (OTLP over HTTP). By default, Lading traces nothing and does not load the tracer.',
      examples: ['http://127.0.0.1:4318/v1/traces'],
    }),
})
