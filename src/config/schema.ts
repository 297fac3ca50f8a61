/**
 * @module Every configuration key with its default, its range and its meaning: the one place that says what can
 * be configured. The names of variables and flags, the documentation and the JSON Schema are derived from it
 * (`keys.ts`, `describe.ts`); rules between keys live here too, so nothing checks configuration later. Modules
 * receive their slice of `Config`, never this file.
 */
import { z } from 'zod'
import { isHttpUrl, isOwnerName } from './forms.ts'
import { defaultHost, http, port } from './http-schema.ts'
import { Secret } from './secrets.ts'

const oneMinuteMs = 60_000
const oneDayMs = 24 * 60 * oneMinuteMs
const oneMebibyte = 1024 * 1024

/** Timers of Node count milliseconds in a signed 32-bit integer; a longer one fires at once. */
const maxTimerMs = 2_147_483_647

/** A laptop closed overnight can resume its push the next morning. */
const defaultUploadExpiryMs = oneDayMs
/** A live upload is noted about once a second; a busy database or disk may hold that up for some seconds. */
const minUploadExpiryMs = oneMinuteMs
/** Far above what a build farm opens at once, low enough that a runaway script cannot fill the table. */
const defaultMaxSessions = 1000
/** A refusal at the ceiling looks at all sessions of the holder at once, 4 ms for each thousand. */
const mostSessions = 4_000
/** The spec asks for 4 MiB at least; 10 MiB is what large indexes with annotations need. */
const defaultManifestBytes = 10 * oneMebibyte
/** Above the pauses that proxies and slow disks make, below the patience of most clients. */
const defaultIdleTimeoutMs = oneMinuteMs
/** Clients that unpack while they pull pause, some for minutes. */
const defaultReplyIdleTimeoutMs = 5 * oneMinuteMs
/** 25 of the largest manifests, or 200 of the longest pages of tags; beside it caches and buffers take some 130 MiB. */
const defaultReplyMemoryBytes = 256 * oneMebibyte
/** Room for a few of the largest replies at least. */
const minReplyMemoryBytes = 16 * oneMebibyte
/** A packet that was lost is sent again within a second. */
const minIdleTimeoutMs = 1_000
/** Docker, containerd and Kubernetes together open some ten per host; a thousand hosts pull at once before this is met. */
const defaultConnections = 10_000
/** An office or a build farm behind one address translator still fits; one runaway client does not take all. */
const defaultConnectionsPerAddress = 1_000
/** Long enough for the layers of a large push between two tokens, short enough that a leaked one is soon worthless. */
const defaultTokenLifetimeMs = 15 * oneMinuteMs
/** Docker assumes 60 s for a token without a lifetime, and some clients never ask again before that. */
const minTokenLifetimeMs = oneMinuteMs
/** A rotated key must be kept until its last token has expired. */
const maxTokenLifetimeMs = oneDayMs
/** A working day: who comes back the next morning logs in again. */
const defaultSessionIdleMs = 12 * 60 * oneMinuteMs
/** However busy, a browser shows the password once a week. */
const defaultSessionLifetimeMs = 7 * oneDayMs
/** Uses are noted every five minutes. */
const minSessionMs = 10 * oneMinuteMs
const maxSessionMs = 90 * oneDayMs
/** Guessing must not pay: 16 characters are more than 90 bits when they are random. */
const minMetricsTokenChars = 16
/** A year is what rules for audits commonly ask for. */
const defaultAuditDays = 365
/** Some 5 GB in the database; a registry of a hundred pushes an hour writes a fifth of it in a year. */
const defaultAuditRows = 10_000_000
/** The shortest password that NIST SP 800-63B allows. */
const minPasswordChars = 8
/** Kubernetes and Docker kill 30 and 10 s after TERM; 20 s leaves the former time to close stores. */
const defaultDrainMs = 20_000

const durationMs = (minMs = 1) => z.int().min(minMs).max(maxTimerMs)

interface SecretMeta {
  readonly description: string
  readonly examples?: string[]
}

/** A text that becomes a `Secret`; `keys.ts` gives it a `_FILE` variable, and nothing prints it. */
function secret(text: z.ZodString, meta: SecretMeta) {
  return text.meta({ ...meta, secret: true }).transform((value) => new Secret(value))
}

const auth = z.strictObject({
  anonymous: z
    .enum(['none', 'pull', 'push'])
    .default('pull')
    .describe(
      'What clients without a login may do: nothing, pull from public repositories, or also push to and delete from them and create new ones.',
    ),
  refreshTokens: z
    .boolean()
    .default(false)
    .describe(
      'Whether a login may get a refresh token. Docker then stores that instead of the password, which the kubelet cannot use.',
    ),
  selfRegistration: z
    .boolean()
    .default(false)
    .describe('Whether anyone may make an account for themselves. Otherwise administrators make users.'),
  tokenLifetimeMs: z
    .int()
    .min(minTokenLifetimeMs)
    .max(maxTokenLifetimeMs)
    .default(defaultTokenLifetimeMs)
    .describe(
      'How long a bearer token is valid (default: 15 minutes). Disabling a user ends its tokens at once.',
    ),
  sessionIdleMs: z
    .int()
    .min(minSessionMs)
    .max(maxSessionMs)
    .default(defaultSessionIdleMs)
    .describe('How long a browser session lasts without a request (default: 12 hours).'),
  sessionLifetimeMs: z
    .int()
    .min(minSessionMs)
    .max(maxSessionMs)
    .default(defaultSessionLifetimeMs)
    .describe('How long a browser session lasts at most (default: 7 days).'),
})

const repository = z.strictObject({
  visibility: z
    .enum(['private', 'internal', 'public'])
    .default('private')
    .describe(
      'Visibility of repositories that a push creates. What anonymous creates under `auth.anonymous: push` is public.',
    ),
})

const admin = z.strictObject({
  name: z
    .string()
    .refine(isOwnerName)
    .default('admin')
    .meta({ description: 'Name of the administrator that the first start creates.', examples: ['admin'] }),
  password: secret(z.string().min(minPasswordChars), {
    description: `Its password, ${minPasswordChars} characters at least; used at the first start only. By default one is generated, printed once and kept in \`admin-password\` in \`data\` until it is changed.`,
  }).optional(),
})

const metrics = z.strictObject({
  host: z.string().min(1).default(defaultHost).describe('Address of the listener for metrics alone.'),
  port: port()
    .optional()
    .describe(
      'Port of a listener that serves `/metrics` to everyone who reaches it. By default there is none.',
    ),
  token: secret(z.string().min(minMetricsTokenChars), {
    description: `Serves \`/metrics\` on the main listener to those who send it as bearer token; ${minMetricsTokenChars} characters at least.`,
  }).optional(),
})

const tracing = z.strictObject({
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

const audit = z.strictObject({
  pulls: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe(
      'The part of all pulls of manifests that is recorded, at random: 0 none, 0.01 one in a hundred, 1 all.',
    ),
  retention: z
    .strictObject({
      days: z
        .int()
        .min(1)
        .default(defaultAuditDays)
        .describe('How many days an event is kept; older ones are deleted.'),
      maxRows: z
        .int()
        .min(1000)
        .default(defaultAuditRows)
        .describe('How many events are kept; when there are more, the oldest are deleted.'),
    })
    .prefault({}),
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
    url: secret(z.string().regex(/^postgres(ql)?:\/\//), {
      description: 'Address of the database.',
      examples: ['postgres://user:password@host:5432/database'],
    }),
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
  expireAfterMs: durationMs(minUploadExpiryMs)
    .default(defaultUploadExpiryMs)
    .describe(
      'An upload session that got no bytes for this time ends (default: one day). A session that holds no byte at all ends after five minutes, or two minutes after `limits.idleTimeoutMs` where that is later. At least a minute, and no less than `limits.idleTimeoutMs`.',
    ),
  maxSessions: z
    .int()
    .min(1)
    .max(mostSessions)
    .default(defaultMaxSessions)
    .describe(
      'Open upload sessions per account, or per address (one /64 of IPv6) for clients without an account. One more ends the oldest session that holds no byte and that nobody writes. Where there is none, it is answered with 429, and `Retry-After` says when the next session expires. Pushes in one request and mounts are not counted.',
    ),
})

const limits = z.strictObject({
  manifestBytes: z
    .int()
    .min(1)
    .default(defaultManifestBytes)
    .describe('Largest manifest; a larger one is answered with 413.'),
  idleTimeoutMs: durationMs(minIdleTimeoutMs)
    .default(defaultIdleTimeoutMs)
    .describe(
      'Silence inside a request body: when a client sends nothing for this time, the request is answered with 408 and the connection is closed; an upload keeps what has arrived (default: one minute). This does not limit how long a whole upload takes.',
    ),
  replyIdleTimeoutMs: durationMs(minIdleTimeoutMs)
    .default(defaultReplyIdleTimeoutMs)
    .describe(
      'Silence of a reader: a client that takes nothing of a reply for this time, whatever the reply is, is cut off (default: five minutes). A client that holds memory of `limits.replyMemoryBytes` for which another request waits, and takes less than 1 MiB within 30 s, is cut off then.',
    ),
  replyMemoryBytes: z
    .int()
    .min(minReplyMemoryBytes)
    .default(defaultReplyMemoryBytes)
    .describe(
      'Memory for manifests and lists that clients have asked for and not taken yet, and for manifests that they push, over all connections. One account, the robots of one owner together, or one address without an account, gets a quarter. A request that needs more waits until there is room; what is below 64 KiB and blobs, which are streamed, never wait.',
    ),
  connections: z
    .int()
    .min(1)
    .default(defaultConnections)
    .describe('Open connections; one more is closed at once.'),
  connectionsPerAddress: z
    .int()
    .min(1)
    .default(defaultConnectionsPerAddress)
    .describe('Open connections from one address, or one /64 of IPv6; trusted proxies are not counted.'),
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
  format: z
    .enum(['auto', 'json', 'pretty'])
    .default('auto')
    .describe(
      'How the log is written: `pretty` is short lines for a person, `auto` is `pretty` on a terminal and `json` otherwise.',
    ),
})

export const configSchema = z
  .strictObject({
    data: z
      .string()
      .min(1)
      .default('./data')
      .describe('Folder of the database and of the blobs; made when missing.'),
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
    workers: z
      .union([z.literal('auto'), z.literal(1)])
      .default('auto')
      .describe('Processes that serve requests; `auto` is one.'),
  })
  .superRefine(({ uploads: { expireAfterMs }, limits: { idleTimeoutMs } }, context) => {
    // Below the minimum of its own it is refused for that.
    if (expireAfterMs >= idleTimeoutMs || expireAfterMs < minUploadExpiryMs) return
    context.addIssue({
      code: 'custom',
      path: ['uploads', 'expireAfterMs'],
      message: `must be at least limits.idleTimeoutMs (${idleTimeoutMs}): an upload may be silent for that long`,
      params: { isRule: true },
    })
  })

export type Config = z.output<typeof configSchema>
/** As a file holds it. */
export type ConfigInput = z.input<typeof configSchema>
