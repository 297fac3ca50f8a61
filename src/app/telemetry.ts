/**
 * Wraps the parts in metrics and traces. If the configuration asks for neither, every part is returned unchanged and no library
 * is loaded.
 */
import { performance } from 'node:perf_hooks'
import { ObservedBlobStore } from '../blob-store/observed-blob-store.ts'
import type { BlobStore } from '../blob-store/blob-store.ts'
import type { Config } from '../config/schema.ts'
import type { HttpObserver } from '../http/observer.ts'
import type { Job } from '../jobs/job.ts'
import type { LoginOutcome } from '../metadata/audit/audit-actions.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { ObservedMetadata } from '../metadata/observed-metadata.ts'
import { countAllUploads } from '../metadata/content/uploads.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { LoginResult, Metrics } from '../telemetry/metrics.ts'
import type { Tracing } from '../telemetry/tracing.ts'

export interface Telemetry extends AsyncDisposable {
  /** `undefined` unless metrics are served. */
  readonly metrics: Metrics | undefined
  /** `undefined` without metrics and traces. */
  readonly observer: HttpObserver | undefined
  /** `undefined` without metrics. */
  readonly onLogin: ((outcome: LoginOutcome) => void) | undefined
  observeMetadata(metadata: Metadata): Metadata
  observeStore(store: BlobStore): BlobStore
  observeJobs(jobs: readonly Job[]): readonly Job[]
}

export interface TelemetryDeps {
  readonly logger: Logger
  readonly version: string
}

const loginResults = {
  granted: 'accepted',
  'wrong-password': 'refused',
  unknown: 'refused',
  disabled: 'refused',
  revoked: 'refused',
  expired: 'refused',
  throttled: 'throttled',
} satisfies Record<LoginOutcome, LoginResult>

/** How often a failing collector is logged, so that it does not fill the log. */
const complainEveryMs = 10 * 60_000

const now = (): number => performance.now()

export async function openTelemetry(config: Config, deps: TelemetryDeps): Promise<Telemetry> {
  const metrics = await openMetrics(config, deps)
  const tracing = await openTracing(config, deps)
  if (metrics === undefined && tracing === undefined) return silent
  return {
    metrics,
    observer: createObserver(metrics, tracing),
    onLogin: metrics && ((outcome) => metrics.onLogin(loginResults[outcome])),
    observeMetadata: (metadata) => observeMetadata(metadata, metrics, tracing),
    observeStore: (store) => observeStore(store, metrics, tracing),
    observeJobs: (jobs) => (metrics === undefined ? jobs : jobs.map((job) => observeJob(job, metrics))),
    [Symbol.asyncDispose]: async () => tracing?.[Symbol.asyncDispose](),
  }
}

const silent: Telemetry = {
  metrics: undefined,
  observer: undefined,
  onLogin: undefined,
  observeMetadata: (metadata) => metadata,
  observeStore: (store) => store,
  observeJobs: (jobs) => jobs,
  [Symbol.asyncDispose]: () => Promise.resolve(),
}

async function openMetrics(config: Config, { version }: TelemetryDeps): Promise<Metrics | undefined> {
  if (config.metrics.port === undefined && config.metrics.token === undefined) return undefined
  const { createMetrics } = await import('../telemetry/metrics.ts')
  return createMetrics({ version })
}

async function openTracing(config: Config, { logger, version }: TelemetryDeps): Promise<Tracing | undefined> {
  const { endpoint } = config.tracing
  if (endpoint === undefined) return undefined
  const { startTracing } = await import('../telemetry/tracing.ts')
  let complainedAt = Number.NEGATIVE_INFINITY
  const onError = (reason: string): void => {
    if (now() - complainedAt < complainEveryMs) return
    complainedAt = now()
    logger.warn({ reason }, 'traces could not be sent; check tracing.endpoint')
  }
  return startTracing({ endpoint, version, onError })
}

function createObserver(metrics: Metrics | undefined, tracing: Tracing | undefined): HttpObserver {
  return {
    onRequest(seen) {
      metrics?.onRequest(seen)
      tracing?.onRequest(seen)
    },
    onConnectionRefused: (limit) => metrics?.onConnectionRefused(limit),
    onConnectionClosed: (reason) => metrics?.onConnectionClosed(reason),
    ...(tracing && { runRequest: (request, work) => tracing.runRequest(request, work) }),
  }
}

function observeMetadata(
  metadata: Metadata,
  metrics: Metrics | undefined,
  tracing: Tracing | undefined,
): Metadata {
  const observed = new ObservedMetadata(metadata, {
    now,
    onTransaction(report) {
      metrics?.onTransaction(report)
      tracing?.onCall({ ...report, name: 'database.transaction' })
    },
  })
  metrics?.watchGauge({
    name: 'lading_database_transactions_pending',
    help: 'Write transactions that were requested and have not ended.',
    read: () => observed.pending,
  })
  metrics?.watchGauge({
    name: 'lading_upload_sessions',
    help: 'Open upload sessions of all processes.',
    read: () => countAllUploads(metadata.reader),
  })
  return observed
}

function observeStore(
  store: BlobStore,
  metrics: Metrics | undefined,
  tracing: Tracing | undefined,
): BlobStore {
  return new ObservedBlobStore(store, {
    now,
    observer: {
      onCall(call) {
        metrics?.onStoreCall(call)
        const { operation, durationMs, error } = call
        tracing?.onCall({ name: `store.${operation}`, durationMs, failed: error !== undefined })
      },
      onBytesRead: (bytes) => metrics?.onStoreBytes('read', bytes),
      onBytesWritten: (bytes) => metrics?.onStoreBytes('written', bytes),
    },
  })
}

function observeJob(job: Job, metrics: Metrics): Job {
  return {
    ...job,
    async run(signal) {
      const startedAt = now()
      let failed = true
      try {
        const done = await job.run(signal)
        failed = false
        return done
      } finally {
        metrics.onJob({ job: job.name, durationMs: now() - startedAt, failed })
      }
    },
  }
}
