/** The section `metadata` of the configuration: the database. */
import { z } from 'zod'
import { secret } from '../leaves.ts'

const metadataDriver =
  'Where repositories, manifests and tags are kept: a file in `data`, or PostgreSQL 15 or newer.'

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
