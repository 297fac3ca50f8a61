/**
 * @module Every configuration key with its default, its range and its meaning, assembled from the files in `sections/`.
 * The names of variables and flags, the documentation and the JSON Schema are derived from it (`keys.ts`, `describe.ts`).
 * Rules that involve several keys are here too, so no other code validates the configuration. Modules receive their slice
 * of `Config` and never import this file.
 */
import { z } from 'zod'
import { formatDuration } from '../lib/units.ts'
import { admin } from './sections/admin.ts'
import { audit } from './sections/audit.ts'
import { auth } from './sections/auth.ts'
import { deletion, references, repository } from './sections/content.ts'
import { http } from './sections/http.ts'
import { limits } from './sections/limits.ts'
import { log } from './sections/log.ts'
import { metadata } from './sections/metadata.ts'
import { metrics } from './sections/metrics.ts'
import { shutdown } from './sections/shutdown.ts'
import { storage } from './sections/storage.ts'
import { tracing } from './sections/tracing.ts'
import { minUploadExpiryMs, uploads } from './sections/uploads.ts'

export const configSchema = z
  .strictObject({
    data: z
      .string()
      .min(1)
      .default('./data')
      .describe('Folder for the database and the blobs. Lading creates it if it does not exist.'),
    http: http.prefault({}),
    auth: auth.prefault({}),
    admin: admin.prefault({}),
    repository: repository.prefault({}),
    audit: audit.prefault({}),
    references: references.prefault({}),
    delete: deletion.prefault({}),
    metadata: metadata.prefault({}),
    storage: storage.prefault({}),
    uploads: uploads.prefault({}),
    limits: limits.prefault({}),
    shutdown: shutdown.prefault({}),
    log: log.prefault({}),
    metrics: metrics.prefault({}),
    tracing: tracing.prefault({}),
  })
  .superRefine(({ uploads: { expireAfterMs }, limits: { idleTimeoutMs } }, context) => {
    // A value below its own minimum already has an issue.
    if (expireAfterMs >= idleTimeoutMs || expireAfterMs < minUploadExpiryMs) return
    context.addIssue({
      code: 'custom',
      path: ['uploads', 'expireAfterMs'],
      message: `must be at least limits.idleTimeoutMs (${formatDuration(idleTimeoutMs)}), because an upload may pause for that long`,
      params: { isRule: true },
    })
  })

export type Config = z.output<typeof configSchema>
/** The configuration as it is written in a file. */
export type ConfigInput = z.input<typeof configSchema>
