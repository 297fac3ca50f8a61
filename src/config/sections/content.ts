/** The sections `repository`, `references` and `delete` of the configuration: what clients may push and delete. */
import { z } from 'zod'

/** `repository.*`. */
export const repository = z.strictObject({
  visibility: z
    .enum(['private', 'internal', 'public'])
    .default('private')
    .describe(
      'Visibility of repositories that a push creates. Repositories that anonymous clients create under `auth.anonymous: push` are public.',
    ),
})

/** `references.*`. */
export const references = z.strictObject({
  blobs: z
    .enum(['strict', 'lenient'])
    .default('strict')
    .describe('Whether a manifest that names missing blobs is refused (`strict`) or accepted (`lenient`).'),
  children: z
    .enum(['strict', 'lenient'])
    .default('lenient')
    .describe(
      'Whether an index that names missing manifests is refused (`strict`) or accepted (`lenient`). `lenient` allows clients to push the manifests after the index.',
    ),
})

/** `delete.*`. */
export const deletion = z.strictObject({
  enabled: z.boolean().default(true).describe('Whether clients may delete manifests, tags and blobs.'),
})
