/** The section `metadata` of the configuration: the database. */
import { z } from 'zod'
import { secret } from '../leaves.ts'

const metadataDriver =
  'The database for repositories, manifests and tags: `sqlite`, a file in `data`, or `postgres`, PostgreSQL 15 or newer.'

/** `metadata.*`. */
export const metadata = z.discriminatedUnion('driver', [
  z.strictObject({ driver: z.literal('sqlite').default('sqlite').describe(metadataDriver) }),
  z.strictObject({
    driver: z.literal('postgres').describe(metadataDriver),
    url: secret(z.string().regex(/^postgres(ql)?:\/\//), {
      description: 'Address of the database.',
      examples: ['postgres://user:password@host:5432/database'],
    }),
  }),
])
