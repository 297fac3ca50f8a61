/**
 * @module The composition root: only this file and `app/` wire the parts, from the configuration to a running registry, top to
 * bottom. A failed start closes everything it opened; stopping happens in reverse order.
 */
import { createManagementApi } from './api/management-api.ts'
import { createAuthOptions } from './app/auth-options.ts'
import { createHttpLimits } from './app/http-limits.ts'
import { createHealth } from './app/health.ts'
import { createDamageReporter } from './app/report-damage.ts'
import { throwUncaught } from './app/open-metadata.ts'
import { openParts } from './app/open-parts.ts'
import { watchStartFolders } from './app/start-folders.ts'
import { openTelemetry } from './app/telemetry.ts'
import type { Telemetry } from './app/telemetry.ts'
import { watchLifecycle } from './app/watch-lifecycle.ts'
import type { FirstAdministrator } from './identity/accounts/accounts.ts'
import { checkFirstAdministrator } from './identity/accounts/first-administrator.ts'
import { openAudit } from './app/open-audit.ts'
import type { Audit } from './audit/audit.ts'
import { createAuth } from './auth.ts'
import type { Auth, AuthDeps } from './auth.ts'
import type { BlobStore } from './blob-store/blob-store.ts'
import { CachingBlobStore } from './blob-store/caching-blob-store.ts'
import type { Config } from './config/schema.ts'
import { createGate } from './edge/gate.ts'
import { readTlsFiles, type TlsFiles } from './config/tls-files.ts'
import type { HttpLimits } from './http/limits.ts'
import { createMetricsEndpoint } from './http/metrics/metrics-endpoint.ts'
import { startMetricsListener } from './http/metrics/metrics-listener.ts'
import { reserveAddress } from './http/connections/reserve-address.ts'
import { uploadLives } from './registry/uploads/session-ceiling.ts'
import { createRegistryServer, type RegistryServer } from './http/server.ts'
import { createJobs, removeDeadKeysJob } from './jobs/jobs.ts'
import { startScheduler, type Scheduler } from './jobs/scheduler.ts'
import { monotonicClock, systemClock, type Clock } from './lib/clock.ts'
import { systemTimers } from './lib/timers.ts'
import { systemIds, type Ids } from './lib/ids.ts'
import type { Metadata } from './metadata/metadata.ts'
import { openOrganizations } from './organizations/open-organizations.ts'
import { createRegistry, type Registry } from './registry/registry.ts'
import { HashThreads } from './registry/uploads/hash-threads.ts'
import type { Logger } from './telemetry/logger.ts'

/** How long a new writer waits for the holder of an upload session to release it; after that it starts its own segment. */
const takeoverMs = 10_000

export interface App extends AsyncDisposable {
  readonly url: string
  /** The port of the metrics listener, if it has its own. */
  readonly metricsPort: number | undefined
  readonly metadata: Metadata
  readonly store: BlobStore
  readonly auth: Auth
  /** The administrator that this start created; absent if an account already existed. */
  readonly firstAdministrator: FirstAdministrator | undefined
  /** Uses the files for new connections. Throws and changes nothing when this registry was started without TLS. */
  reloadTls(files: TlsFiles): void
  /**
   * Accepts no more requests. Requests in progress have this long to finish, then their connections are closed. Disposing stops
   * the jobs.
   */
  stop(deadlineMs: number): Promise<void>
}

export interface AppDeps {
  readonly logger: Logger
  /** The version of this program, for metrics, traces and pages. */
  readonly version?: string
  /** Returns how many log lines could not be written since the start; for the metrics. */
  readonly droppedLogLines?: () => number
  readonly clock?: Clock
  /** A clock that never jumps, for durations within the process. */
  readonly monotonic?: Clock
  readonly ids?: Ids
  readonly httpLimits?: Partial<HttpLimits>
  readonly auth?: Pick<AuthDeps, 'passwords' | 'throttle'>
  /**
   * Called once when the database is lost or damaged. It is then unknown which bytes are on the disk, so nothing more may be
   * acknowledged: end the process, and a supervisor restarts it from the durable state. Default: throws the error uncaught.
   */
  readonly onFatal?: (error: Error) => void
  /** Takes over a store that belongs to another database, or to none. Default `false`. */
  readonly adoptStore?: boolean
}

/**
 * Starts a registry. Throws the error of the part that failed; its message says what to change. The address is reserved and both
 * parts are inspected before anything is created, and the administrator is created last, so a failed start leaves nothing behind.
 */
export async function createApp(config: Config, deps: AppDeps): Promise<App> {
  const { logger, clock = systemClock, ids = systemIds, version = 'unknown', adoptStore = false } = deps
  await using stack = new AsyncDisposableStack()
  const tls = readTlsFiles(config.http.tls)
  const telemetry = stack.use(await openTelemetry(config, { logger, version }))
  const reserved = stack.use(await reserveAddress(config.http))
  const metricsPort = await serveMetrics(config, { telemetry, logger, stack })
  const administrator = { name: config.admin.name, password: config.admin.password?.reveal() }
  const checkFirstStart = (): void => checkFirstAdministrator(administrator)
  // Not earlier: this start must not remove what another start creates in the same folder in the meantime.
  const folders = stack.use(await watchStartFolders(config))
  const { onFatal = throwUncaught } = deps
  const partDeps = { clock, ids, logger, onFatal, adoptStore, checkFirstStart }
  const opened = stack.use(await openParts(config, partDeps))
  const metadata = telemetry.observeMetadata(opened.metadata)
  const store = cacheSmallBlobs(telemetry.observeStore(opened.store), telemetry)

  const audit = stack.use(openServerAudit(config, { metadata, clock, logger, telemetry }))
  const { installationId } = opened
  const auth = stack.use(
    openAuth(config, { metadata, clock, installationId, audit, logger, telemetry, ...deps.auth }),
  )
  const hashThreads = stack.use(new HashThreads())
  const { monotonic = monotonicClock } = deps
  const parts = { logger, clock, monotonic, ids, metadata, store, auth, audit, telemetry, hashThreads }
  const { registry, scheduler } = startRegistry(config, parts)
  stack.use(scheduler)
  const server = stack.use(
    createServer(config, { ...parts, registry, tls, version, httpLimits: deps.httpLimits }),
  )
  watch(telemetry, { registry, server, auth, droppedLogLines: deps.droppedLogLines })
  watchLifecycle(telemetry.metrics, parts)
  // Created now, while there is space on the disk.
  await auth.keys.getActive()
  const firstAdministrator = await auth.accounts.ensureFirstAdministrator(administrator)
  const address = await server.listenOn(reserved)
  folders.keep()
  const resources = stack.move()
  return {
    url: formatUrl(tls === undefined ? 'http' : 'https', config.http.host, address.port),
    metricsPort,
    metadata,
    store,
    auth,
    firstAdministrator,
    reloadTls: (files) => server.reloadTls(files),
    stop: (deadlineMs) => server.close({ deadlineMs }),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

interface Parts {
  readonly logger: Logger
  readonly clock: Clock
  readonly monotonic: Clock
  readonly ids: Ids
  readonly metadata: Metadata
  readonly store: BlobStore
  readonly auth: Auth
  readonly audit: Audit
  readonly telemetry: Telemetry
  readonly hashThreads: HashThreads
}

/** Opens the audit; events that it cannot record are logged and counted. */
function openServerAudit(
  config: Config,
  { metadata, clock, logger, telemetry }: Pick<Parts, 'metadata' | 'clock' | 'logger' | 'telemetry'>,
): Audit {
  return openAudit({
    pulls: config.audit.pulls,
    metadata,
    clock,
    onError: (err) => logger.error({ err }, 'audit events of logins and refusals could not be recorded'),
    onDropped: telemetry.metrics?.onAuditDropped,
    onLoss: (loss) => logger.warn(loss, 'audit events were not recorded'),
  })
}

/** Starts the services and the background jobs. */
function startRegistry(
  config: Config,
  { metadata, store, clock, monotonic, ids, ...parts }: Parts,
): { registry: Registry; scheduler: Scheduler } {
  const lives = uploadLives({ ...config.uploads, ...config.limits })
  const jobs = createJobs(
    {
      metadata,
      store,
      clock,
      monotonic,
      log: parts.logger,
      onSweep: parts.telemetry.metrics?.onSweep,
    },
    {
      uploadLives: lives,
      sessionIdleMs: config.auth.sessionIdleMs,
      auditRetention: config.audit.retention,
    },
  )
  const scheduler = startScheduler(
    { metadata, clock, monotonic, holder: ids.storageKey(), log: parts.logger },
    parts.telemetry.observeJobs(jobs),
  )
  const { logger, telemetry } = parts
  const log = (fields: object, message: string): void => logger.error(fields, message)
  const reportDamage = createDamageReporter({ log, monotonic, metrics: telemetry.metrics })
  const registry = createRegistry({
    metadata,
    store,
    clock,
    monotonic,
    timers: systemTimers,
    ids,
    policy: parts.auth.policy,
    audit: parts.audit,
    hashThreads: parts.hashThreads,
    onDeadKey: () => scheduler.wake(removeDeadKeysJob),
    onDamage: reportDamage,
    deleteEnabled: config.delete.enabled,
    references: config.references,
    maxSessions: config.uploads.maxSessions,
    lives,
    takeoverMs,
  })
  return { registry, scheduler }
}

/** Adds a cache, except to a memory store, which needs none. */
function cacheSmallBlobs(store: BlobStore, { metrics }: Telemetry): BlobStore {
  if (store.driver === 'memory') return store
  const caching = new CachingBlobStore(store)
  metrics?.watchCache('blob', () => caching.cacheStats())
  return caching
}

interface AuthParts extends Pick<
  AuthDeps,
  'metadata' | 'clock' | 'installationId' | 'audit' | 'passwords' | 'throttle'
> {
  readonly logger: Logger
  readonly telemetry: Telemetry
}

function openAuth(config: Config, { logger, telemetry, ...parts }: AuthParts): Auth {
  return createAuth({
    ...parts,
    ...createAuthOptions(config),
    onError: (err) => logger.warn({ err }, 'the last use of tokens could not be recorded'),
    onLogin: telemetry.onLogin,
  })
}

interface ServerParts extends Parts {
  readonly registry: Registry
  readonly tls: TlsFiles | undefined
  readonly version: string
  readonly httpLimits: Partial<HttpLimits> | undefined
}

function createServer(config: Config, parts: ServerParts): RegistryServer {
  const { authenticator, policy, formerNames, tokens } = parts.auth
  const organizations = openOrganizations(parts)
  const { metrics, observer } = parts.telemetry
  const token = config.metrics.token?.reveal()
  return createRegistryServer({
    registry: parts.registry,
    authenticator,
    policy,
    formerNames,
    tokens,
    gate: createGate({ ...parts.auth, owners: organizations.owners }),
    audit: parts.audit,
    api: createManagementApi(
      {
        ...parts.auth,
        ...organizations,
        audit: parts.audit,
        catalog: parts.registry.catalog,
        deleteEnabled: config.delete.enabled,
      },
      parts.version,
    ),
    publicUrl: config.http.publicUrl,
    trustedProxies: config.http.trustedProxies,
    corsOrigins: config.http.cors.origins,
    tls: parts.tls,
    ids: parts.ids,
    log: parts.logger,
    limits: { ...createHttpLimits(config.limits), ...parts.httpLimits },
    observer,
    metrics: metrics && token !== undefined ? createMetricsEndpoint(metrics, token) : undefined,
    health: createHealth({ ...parts, metrics }),
  })
}

interface Watched {
  readonly droppedLogLines: (() => number) | undefined
  readonly registry: Registry
  readonly server: RegistryServer
  readonly auth: Auth
}

function watch({ metrics }: Telemetry, { registry, server, auth, droppedLogLines = () => 0 }: Watched): void {
  if (metrics === undefined) return
  metrics.watchCache('manifest', () => registry.manifests.cacheStats())
  metrics.watchCache('credential', () => auth.authenticator.cacheStats())
  metrics.watchGauge({
    name: 'lading_http_connections',
    help: 'Open connections.',
    read: () => server.counts().connections,
  })
  metrics.watchGauge({
    name: 'lading_http_requests_in_flight',
    help: 'Requests without an answer yet.',
    read: () => server.counts().requestsInFlight,
  })
  metrics.watchGauge({
    name: 'lading_http_requests_waiting',
    help: 'Pipelined requests that wait for earlier requests on their connection.',
    read: () => server.counts().requestsWaiting,
  })
  metrics.watchGauge({
    name: 'lading_http_reply_memory_bytes',
    help: 'Memory of manifests and lists that are being built or that clients have not read yet.',
    read: () => server.counts().replyBytesHeld,
  })
  metrics.watchGauge({
    name: 'lading_http_replies_waiting',
    help: 'Requests whose reply waits for memory.',
    read: () => server.counts().repliesWaiting,
  })
  metrics.watchCounter({
    name: 'lading_log_dropped_lines_total',
    help: 'Log lines dropped because they could not be written.',
    read: droppedLogLines,
  })
}

/** Starts the separate metrics listener if one is configured; returns its port. */
async function serveMetrics(
  { metrics: { host, port, token } }: Config,
  { telemetry, logger, stack }: { telemetry: Telemetry; logger: Logger; stack: AsyncDisposableStack },
): Promise<number | undefined> {
  if (port === undefined || telemetry.metrics === undefined) return undefined
  const endpoint = createMetricsEndpoint(telemetry.metrics, token?.reveal())
  const listener = stack.use(await startMetricsListener({ host, port }, { endpoint, log: logger }))
  logger.info({ host, port: listener.port }, 'serving metrics')
  return listener.port
}

function formatUrl(scheme: 'http' | 'https', host: string, port: number): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
