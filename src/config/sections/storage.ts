/** The section `storage` of the configuration: the blob store. */
import { z } from 'zod'

/** `storage.*`. */
export const storage = z.strictObject({
  driver: z
    .enum(['filesystem', 'memory'])
    .default('filesystem')
    .describe(
      'The store for blobs: `filesystem`, which keeps them as files in `data`, or `memory`, which loses them at exit and is meant for tests.',
    ),
})
