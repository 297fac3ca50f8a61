/**
 * @module Every configuration key with its default, its range and its meaning: the one place that says what can
 * be configured. The names of variables and flags, the documentation and the JSON Schema are derived from it
 * (`keys.ts`, `describe.ts`); rules between keys live here too, so nothing checks configuration later. Modules
 * receive their slice of `Config`, never this file.
 */
import { z } from 'zod'
import { Secret } from './secrets.ts'

const oneMinuteMs = 60_000
const oneDayMs = 24 * 60 * oneMinuteMs
const oneMebibyte = 1024 * 1024

/** Timers of Node count milliseconds in a signed 32-bit integer; a longer one fires at once. */
const maxTimerMs = 2_147_483_647

/** Only this machine: what is not asked for is not exposed. */
const defaultHost = '127.0.0.1'
/** The port that Docker's documentation and most clients' examples use for a local registry. */
const defaultPort = 5000
/** A laptop closed overnight can resume its push the next morning. */
const defaultUploadExpiryMs = oneDayMs
/** Far above what a build farm opens at once, low enough that a runaway script cannot fill the table. */
const defaultMaxSessions = 1000
/** The spec asks for 4 MiB at least; 10 MiB is what large indexes with annotations need. */
const defaultManifestBytes = 10 * oneMebibyte
/** Above the pauses that proxies and slow disks make, below the patience of most clients. */
const defaultIdleTimeoutMs = oneMinuteMs
/** Kubernetes and Docker kill 30 and 10 s after TERM; 20 s leaves the former time to close stores. */
const defaultDrainMs = 20_000

const durationMs = () => z.int().min(1).max(maxTimerMs)

const http = z.strictObject({
  host: z
    .string()
    .min(1)
    .default(defaultHost)
    .describe('Address to listen on. Beyond loopback the registry is open to everyone who can reach it.'),
  port: z.int().min(0).max(65_535).default(defaultPort).describe('Port to listen on; 0 takes a free one.'),
})

const references = z.strictObject({
  blobs: z
    .enum(['strict', 'lenient'])
    .default('strict')
    .describe('Whether a manifest that names missing blobs is refused (`strict`) or taken (`lenient`).'),
  children: z
    .enum(['strict', 'lenient'])
    .default('lenient')
    .describe('The same for the manifests that an index names; `lenient` lets them come after the index.'),
})

const deletion = z.strictObject({
  enabled: z.boolean().default(true).describe('Whether clients may delete manifests, tags and blobs.'),
})

const metadataDriver =
  'Where repositories, manifests and tags are kept: a file in `data`, or PostgreSQL 15 or newer.'

const metadata = z.discriminatedUnion('driver', [
  z.strictObject({ driver: z.literal('sqlite').default('sqlite').describe(metadataDriver) }),
  z.strictObject({
    driver: z.literal('postgres').describe(metadataDriver),
    url: z
      .string()
      .regex(/^postgres(ql)?:\/\//)
      .meta({
        description: 'Address of the database.',
        examples: ['postgres://user:password@host:5432/database'],
        secret: true,
      })
      .transform((text) => new Secret(text)),
  }),
])

const storage = z.strictObject({
  driver: z
    .enum(['filesystem', 'memory'])
    .default('filesystem')
    .describe(
      'Where blobs are kept: files in `data`, or `memory`, which is lost at exit and made for tests.',
    ),
})

const uploads = z.strictObject({
  expireAfterMs: durationMs()
    .default(defaultUploadExpiryMs)
    .describe('An upload session that got no bytes for this time ends (default: one day).'),
  maxSessions: z
    .int()
    .min(1)
    .default(defaultMaxSessions)
    .describe('Open upload sessions per principal; one more is answered with 429.'),
})

const limits = z.strictObject({
  manifestBytes: z
    .int()
    .min(1)
    .default(defaultManifestBytes)
    .describe('Largest manifest; a larger one is answered with 413.'),
  idleTimeoutMs: durationMs()
    .default(defaultIdleTimeoutMs)
    .describe('A connection on which nothing moves for this time is closed (default: one minute).'),
})

const shutdown = z.strictObject({
  drainMs: durationMs()
    .default(defaultDrainMs)
    .describe('Time that running requests get after TERM. Set it below the grace period of the supervisor.'),
})

const log = z.strictObject({
  level: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('The least severe level that is logged.'),
})

export const configSchema = z.strictObject({
  data: z
    .string()
    .min(1)
    .default('./data')
    .describe('Folder of the database and of the blobs; made when missing.'),
  http: http.prefault({}),
  references: references.prefault({}),
  delete: deletion.prefault({}),
  metadata: metadata.prefault({}),
  storage: storage.prefault({}),
  uploads: uploads.prefault({}),
  limits: limits.prefault({}),
  shutdown: shutdown.prefault({}),
  log: log.prefault({}),
  workers: z
    .union([z.literal('auto'), z.literal(1)])
    .default('auto')
    .describe('Processes that serve requests; `auto` is one.'),
})

export type Config = z.output<typeof configSchema>
