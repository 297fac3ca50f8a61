/** The sections `repository`, `references` and `delete` of the configuration: what clients may push and delete. */
import { z } from 'zod'

/** `repository.*`. */
export const repository = z.strictObject({
  visibility: z
    .enum(['private', 'internal', 'public'])
    .default('private')
    .describe(
      'Visibility of repositories that a push creates. What anonymous creates under `auth.anonymous: push` is public.',
    ),
})

/** `references.*`. */
export const references = z.strictObject({
  blobs: z
    .enum(['strict', 'lenient'])
    .default('strict')
    .describe('Whether a manifest that names missing blobs is refused (`strict`) or taken (`lenient`).'),
  children: z
    .enum(['strict', 'lenient'])
    .default('lenient')
    .describe('The same for the manifests that an index names; `lenient` lets them come after the index.'),
})

/** `delete.*`. */
export const deletion = z.strictObject({
  enabled: z.boolean().default(true).describe('Whether clients may delete manifests, tags and blobs.'),
})
