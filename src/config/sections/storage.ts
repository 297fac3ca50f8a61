/** The section `storage` of the configuration: the blob store. */
import { z } from 'zod'

/** `storage.*`. */
export const storage = z.strictObject({
  driver: z
    .enum(['filesystem', 'memory'])
    .default('filesystem')
    .describe(
      'Where blobs are kept: files in `data`, or `memory`, which is lost at exit and made for tests.',
    ),
})
