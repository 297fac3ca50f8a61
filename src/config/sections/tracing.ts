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
        'Where traces go (OTLP over HTTP). By default nothing is traced, and the tracer is not loaded.',
      examples: ['http://127.0.0.1:4318/v1/traces'],
    }),
})
