/**
 * @module
 * The composition root, and the only file that wires: from the configuration to a running registry, built top to
 * bottom. A start-up that fails closes what was opened; stopping goes the other way round.
 */
import { join } from 'node:path'
import { authenticateAnonymously } from './auth/authenticate.ts'
import { openPolicy } from './auth/policy.ts'
import type { BlobStore } from './blob-store/blob-store.ts'
import { CachingBlobStore } from './blob-store/caching-blob-store.ts'
import { openFilesystemBlobStore } from './blob-store/filesystem/filesystem-blob-store.ts'
import { MemoryBlobStore } from './blob-store/memory/memory-blob-store.ts'
import type { Config } from './config/schema.ts'
import type { Readiness } from './http/handlers/handler-deps.ts'
import { defaultHttpLimits, type HttpLimits } from './http/limits.ts'
import { createRegistryServer } from './http/server.ts'
import { createJobs, removeDeadKeysJob } from './jobs/jobs.ts'
import { startScheduler, type Scheduler } from './jobs/scheduler.ts'
import { BufferPool } from './lib/buffer-pool.ts'
import { systemClock, type Clock } from './lib/clock.ts'
import { systemIds, type Ids } from './lib/ids.ts'
import { openSqliteMetadata } from './metadata/dialects/sqlite.ts'
import { ensureInstallation } from './metadata/installation.ts'
import type { Metadata } from './metadata/metadata.ts'
import { createRegistry, type Registry } from './registry/registry.ts'
import type { Logger } from './telemetry/logger.ts'

/** A new writer waits so long for the holder of an upload session to let go; then it takes a segment of its own. */
const takeoverMs = 10_000
/** The memory store is for tests and registries that may forget; it must not take the machine along. */
const memoryStoreBytes = 2 * 1024 * 1024 * 1024

export interface App extends AsyncDisposable {
  readonly url: string
  readonly metadata: Metadata
  readonly store: BlobStore
  /** Takes no more requests, lets those under way end for this long, then cuts them; stops the jobs. */
  stop(deadlineMs: number): Promise<void>
}

export interface AppDeps {
  readonly logger: Logger
  readonly clock?: Clock
  readonly ids?: Ids
  readonly httpLimits?: Partial<HttpLimits>
}

/** Throws what a part failed with; the message names what to change. */
export async function createApp(config: Config, deps: AppDeps): Promise<App> {
  const { logger, clock = systemClock, ids = systemIds } = deps
  await using stack = new AsyncDisposableStack()
  const metadata = stack.use(await openMetadata(config, { clock, logger }))
  const store = stack.use(await openStore(config, { clock, ids, logger }))
  await checkInstallation(metadata, store, { clock, ids })

  let scheduler: Scheduler | undefined
  const registry = createRegistry({
    metadata,
    store,
    clock,
    ids,
    visibleTo: (principal) => openPolicy.visibleTo(principal),
    newRepositoryVisibility: 'public',
    onDeadKey: () => scheduler?.wake(removeDeadKeysJob),
    deleteEnabled: config.delete.enabled,
    references: config.references,
    maxSessions: config.uploads.maxSessions,
    takeoverMs,
  })
  const jobs = createJobs({ metadata, store, clock }, { uploadExpireAfterMs: config.uploads.expireAfterMs })
  scheduler = stack.use(startScheduler({ metadata, clock, holder: ids.storageKey(), log: logger }, jobs))

  const server = stack.use(createServer(config, { ...deps, clock, ids, registry, metadata, store }))
  const address = await server.listen(config.http)
  const resources = stack.move()
  return {
    url: formatUrl(config.http.host, address.port),
    metadata,
    store,
    stop: (deadlineMs) => server.close({ deadlineMs }),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

async function openMetadata(config: Config, deps: { clock: Clock; logger: Logger }): Promise<Metadata> {
  const { clock, logger } = deps
  if (config.metadata.driver === 'postgres') {
    // Loaded on demand: most installations never need the driver.
    const { openPostgresMetadata } = await import('./metadata/dialects/postgres.ts')
    return openPostgresMetadata({ url: config.metadata.url.reveal(), clock })
  }
  return openSqliteMetadata({
    file: join(config.data, 'lading.db'),
    clock,
    onFatal: (error) => endProcess(error, logger),
    onError: (err) => logger.error({ err }, 'the database could not be maintained; it is tried again'),
  })
}

/**
 * After a failed sync nobody knows which bytes the disk has: what was acknowledged is in doubt, so nothing may be
 * acknowledged any more. The uncaught error ends the process; its supervisor starts it anew from what is durable.
 */
function endProcess(error: unknown, logger: Logger): void {
  logger.fatal({ err: error }, 'the database could not be synced to disk')
  setImmediate(() => {
    throw error
  })
}

async function openStore(
  config: Config,
  deps: { clock: Clock; ids: Ids; logger: Logger },
): Promise<BlobStore> {
  const { clock, ids, logger } = deps
  if (config.storage.driver === 'memory') return new MemoryBlobStore({ clock, maxBytes: memoryStoreBytes })
  const store = await openFilesystemBlobStore({
    root: join(config.data, 'store'),
    buffers: new BufferPool(),
    clock,
    ids,
    onStrange: (path) =>
      logger.warn({ path }, 'a file in the blob store that no registry wrote; it is left alone'),
  })
  return new CachingBlobStore(store)
}

export class StoreMismatchError extends Error {
  override readonly name = 'StoreMismatchError'
}

/** A database and a store that do not belong together would sweep each other's bytes away. */
async function checkInstallation(
  metadata: Metadata,
  store: BlobStore,
  deps: { clock: Clock; ids: Ids },
): Promise<void> {
  const found = await store.readInstallationId()
  const id = await metadata.transact((tx) =>
    ensureInstallation(tx, { id: found ?? deps.ids.storageKey(), now: deps.clock.now() }),
  )
  if (found === undefined) await store.writeInstallationId(id)
  else if (found !== id) {
    throw new StoreMismatchError(
      `storage: the blob store belongs to installation ${found} and the database to ${id}; configure the two that belong together`,
    )
  }
}

interface ServerParts extends AppDeps {
  readonly clock: Clock
  readonly ids: Ids
  readonly registry: Registry
  readonly metadata: Metadata
  readonly store: BlobStore
}

function createServer(config: Config, parts: ServerParts) {
  const { manifestBytes, idleTimeoutMs } = config.limits
  return createRegistryServer({
    registry: parts.registry,
    policy: openPolicy,
    authenticate: authenticateAnonymously,
    clock: parts.clock,
    ids: parts.ids,
    log: parts.logger,
    limits: { ...defaultHttpLimits, manifestBytes, bodyIdleMs: idleTimeoutMs, ...parts.httpLimits },
    health: () => checkHealth(parts),
  })
}

/** What `/readyz` shows: which part does not answer; why is in the log. */
async function checkHealth({ metadata, store, logger }: ServerParts): Promise<Readiness> {
  const check = async (name: string, ping: () => Promise<void>): Promise<[string, string]> => {
    try {
      await ping()
      return [name, 'ok']
    } catch (error) {
      logger.warn({ err: error, part: name }, 'not ready')
      return [name, 'does not answer']
    }
  }
  const results = await Promise.all([
    check('metadata', () => metadata.ping()),
    check('store', () => store.ping()),
  ])
  return { ready: results.every(([, state]) => state === 'ok'), checks: Object.fromEntries(results) }
}

function formatUrl(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
