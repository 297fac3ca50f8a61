/**
 * @module Collects metrics in the Prometheus format, in a registry of their own; created only if the configuration says where to
 * serve them. Other folders report through the small functions below and do not know the library; `app.ts` connects them. Labels
 * have few values, all defined by this program: never a repository, a user, a digest or an address.
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

export interface RequestReport {
  /** The id of the row in the route table; `undefined` when none matched. */
  readonly route: string | undefined
  readonly method: string
  /** `undefined` when the client disconnected before its reply. */
  readonly status: number | undefined
  readonly durationMs: number
  readonly bytesIn: number
  readonly bytesOut: number
}

export interface StoreCallReport {
  readonly operation: string
  readonly durationMs: number
  readonly error: unknown
}

export interface TransactionReport {
  /** The time from the call to the first statement: the queue of this process, and other processes. */
  readonly waitMs: number
  readonly durationMs: number
  /** How often the work was run; more than once after a conflict. */
  readonly runs: number
  readonly failed: boolean
}

export interface JobReport {
  readonly job: string
  readonly durationMs: number
  readonly failed: boolean
}

/** Entries and bytes of a blob store. */
export interface StoreShare {
  readonly entries: number
  readonly bytes: number
}

/** The findings and actions of one sweep. */
export interface SweepFigures {
  /** No row names them, and they are older than the database: left alone. */
  readonly unjudged: StoreShare
  /** No row names them, but they are too large a share of the store to move. */
  readonly refused: StoreShare
  readonly moved: StoreShare
  /** The entries that are still aside at the end. */
  readonly aside: StoreShare
}

/** Hits and misses since the start; `bytes` and `entries` are the current content. */
export interface CacheStats {
  readonly hits: number
  readonly misses: number
  readonly entries: number
  readonly bytes: number
}

export type LoginResult = 'accepted' | 'refused' | 'throttled'

export interface Metrics {
  /** The media type of the result of `render`. */
  readonly contentType: string
  render(): Promise<string>
  onRequest(report: RequestReport): void
  onStoreCall(report: StoreCallReport): void
  onStoreBytes(direction: 'read' | 'written', bytes: number): void
  /** A request found content whose row exists but whose bytes are missing or incomplete. */
  onDamage(kind: 'blob' | 'manifest'): void
  onTransaction(report: TransactionReport): void
  onJob(report: JobReport): void
  readonly onSweep: (figures: SweepFigures) => void
  onLogin(result: LoginResult): void
  /** Audit events were not recorded. */
  readonly onAuditDropped: (reason: 'full' | 'distinct' | 'failed', count: number) => void
  /** A connection was closed before its first request: too many in total, or too many from its address. */
  onConnectionRefused(limit: 'total' | 'address'): void
  /**
   * A connection was closed: its client sent too little of a body for too long, read nothing of its reply for too long, or
   * pipelined too many requests.
   */
  onConnectionClosed(reason: 'pipelining' | 'body-idle' | 'reply-idle'): void
  /** Calls `stats` whenever the metrics are read. */
  watchCache(cache: string, stats: () => CacheStats): void
  /** Calls `read` whenever the metrics are read; a rejection omits the gauge. */
  watchGauge(gauge: { name: string; help: string; read: () => number | Promise<number> }): void
  /** Like `watchGauge`, but for a value that a part counts itself, since its start. */
  watchCounter(counter: { name: string; help: string; read: () => number }): void
}

export interface MetricsOptions {
  readonly version: string
}

/** From a cached answer to a slow upload of a small layer; uploads of gigabytes are in the last bucket. */
const requestSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60]
const storeSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 10]
const transactionSeconds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1]
const jobSeconds = [0.01, 0.1, 1, 10, 60, 600]

/** Creates the metrics of the process, event loop, garbage collector and build, and those of the functions. */
export function createMetrics({ version }: MetricsOptions): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const build = new Gauge({
    name: 'lading_build_info',
    help: 'Version of Lading.',
    labelNames: ['version'],
    registers,
  })
  build.set({ version }, 1)
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    ...createRequestMetrics(registers),
    ...createRefusalMetrics(registers),
    ...createStoreMetrics(registers),
    ...createDamageMetrics(registers),
    ...createWorkMetrics(registers),
    ...createSweepMetrics(registers),
    ...createWatches(registers),
  }
}

/** The methods that have their own label value; clients may send any method. */
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])

function createRequestMetrics(registers: Registry[]): Pick<Metrics, 'onRequest'> {
  const requests = new Counter({
    name: 'lading_http_requests_total',
    help: 'Requests by endpoint, method and status class; "gone": the client left early.',
    labelNames: ['route', 'method', 'status'],
    registers,
  })
  const seconds = new Histogram({
    name: 'lading_http_request_duration_seconds',
    help: 'Time from the head of a request to the last byte of its reply.',
    labelNames: ['route'],
    buckets: requestSeconds,
    registers,
  })
  const received = new Counter({
    name: 'lading_http_received_bytes_total',
    help: 'Bytes of request bodies.',
    labelNames: ['route'],
    registers,
  })
  const sent = new Counter({
    name: 'lading_http_sent_bytes_total',
    help: 'Bytes of reply bodies.',
    labelNames: ['route'],
    registers,
  })
  return {
    onRequest({ route = 'unknown', method, status, durationMs, bytesIn, bytesOut }) {
      requests.inc({
        route,
        method: methods.has(method) ? method : 'other',
        status: status === undefined ? 'gone' : `${Math.floor(status / 100)}xx`,
      })
      seconds.observe({ route }, durationMs / 1000)
      received.inc({ route }, bytesIn)
      sent.inc({ route }, bytesOut)
    },
  }
}

function createRefusalMetrics(
  registers: Registry[],
): Pick<Metrics, 'onLogin' | 'onConnectionRefused' | 'onConnectionClosed' | 'onAuditDropped'> {
  const unrecorded = new Counter({
    name: 'lading_audit_dropped_total',
    help: 'Audit events that were not recorded, by reason.',
    labelNames: ['reason'],
    registers,
  })
  const logins = new Counter({
    name: 'lading_logins_total',
    help: 'Password checks, by result.',
    labelNames: ['result'],
    registers,
  })
  const refused = new Counter({
    name: 'lading_http_connections_refused_total',
    help: 'Connections closed before their first request, by the limit they exceeded.',
    labelNames: ['limit'],
    registers,
  })
  const closed = new Counter({
    name: 'lading_http_connections_closed_total',
    help: 'Connections closed because of their client, by reason.',
    labelNames: ['reason'],
    registers,
  })
  return {
    onConnectionClosed: (reason) => closed.inc({ reason }),
    onLogin: (result) => logins.inc({ result }),
    onAuditDropped: (reason, count) => unrecorded.inc({ reason }, count),
    onConnectionRefused: (limit) => refused.inc({ limit }),
  }
}

function createStoreMetrics(registers: Registry[]): Pick<Metrics, 'onStoreCall' | 'onStoreBytes'> {
  const seconds = new Histogram({
    name: 'lading_store_call_duration_seconds',
    help: 'Calls of the blob store; a copy includes the time of its reader.',
    labelNames: ['operation'],
    buckets: storeSeconds,
    registers,
  })
  const failures = new Counter({
    name: 'lading_store_failures_total',
    help: 'Failed calls of the blob store, except those that clients aborted.',
    labelNames: ['operation', 'error'],
    registers,
  })
  const bytes = new Counter({
    name: 'lading_store_bytes_total',
    help: 'Bytes read from and written to the blob store.',
    labelNames: ['direction'],
    registers,
  })
  return {
    onStoreCall({ operation, durationMs, error }) {
      const failure = error === undefined ? undefined : storeFailures.get(nameOf(error))
      if (failure !== undefined) failures.inc({ operation, error: failure })
      seconds.observe({ operation }, durationMs / 1000)
    },
    onStoreBytes: (direction, count) => bytes.inc({ direction }, count),
  }
}

function createDamageMetrics(registers: Registry[]): Pick<Metrics, 'onDamage'> {
  const blobs = new Counter({
    name: 'lading_store_damaged_blobs_total',
    help: 'Requests for a blob whose bytes in the store are missing or have another size.',
    registers,
  })
  const manifests = new Counter({
    name: 'lading_database_damaged_manifests_total',
    help: 'Requests for a manifest whose bytes in the database are missing or have another size.',
    registers,
  })
  return { onDamage: (kind) => (kind === 'blob' ? blobs : manifests).inc() }
}

/** The errors of the stores themselves; any other error of a call comes from the peer that it copies for. */
const storeFailures: ReadonlyMap<string, string> = new Map([
  ['BlobMissing', 'missing'],
  ['UploadMissing', 'missing'],
  ['StoreFull', 'full'],
  ['StoreUnavailable', 'unavailable'],
])

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : ''
}

function createWorkMetrics(registers: Registry[]): Pick<Metrics, 'onTransaction' | 'onJob'> {
  const waits = new Histogram({
    name: 'lading_database_transaction_wait_seconds',
    help: 'Time until a write transaction started: the queue of this process, and other processes.',
    buckets: transactionSeconds,
    registers,
  })
  const transactions = new Histogram({
    name: 'lading_database_transaction_duration_seconds',
    help: 'Time of write transactions from the call until they are durable.',
    labelNames: ['result'],
    buckets: transactionSeconds,
    registers,
  })
  const repeats = new Counter({
    name: 'lading_database_transaction_repeats_total',
    help: 'Write transactions rerun after a conflict.',
    registers,
  })
  const jobs = new Histogram({
    name: 'lading_job_duration_seconds',
    help: 'Runs of background jobs.',
    labelNames: ['job', 'result'],
    buckets: jobSeconds,
    registers,
  })
  const successes = new Gauge({
    name: 'lading_job_last_success_timestamp_seconds',
    help: 'When this process last completed a background job, in seconds since 1970.',
    labelNames: ['job'],
    registers,
  })
  return {
    onTransaction({ waitMs, durationMs, runs, failed }) {
      waits.observe(waitMs / 1000)
      transactions.observe({ result: resultOf(failed) }, durationMs / 1000)
      if (runs > 1) repeats.inc(runs - 1)
    },
    onJob({ job, durationMs, failed }) {
      jobs.observe({ job, result: resultOf(failed) }, durationMs / 1000)
      if (!failed) successes.set({ job }, Date.now() / 1000)
    },
  }
}

function createSweepMetrics(registers: Registry[]): Pick<Metrics, 'onSweep'> {
  const labelNames = ['state'] as const
  const entries = new Gauge({
    name: 'lading_store_unnamed_entries',
    help: 'Blobs and uploads that no row names, after the last sweep of this process.',
    labelNames,
    registers,
  })
  const bytes = new Gauge({
    name: 'lading_store_unnamed_bytes',
    help: 'Bytes that no row names, after the last sweep of this process.',
    labelNames,
    registers,
  })
  const moved = new Counter({
    name: 'lading_store_set_aside_total',
    help: 'Blobs and uploads that sweeps have set aside.',
    registers,
  })
  return {
    onSweep(figures) {
      for (const state of ['unjudged', 'refused', 'aside'] as const) {
        entries.set({ state }, figures[state].entries)
        bytes.set({ state }, figures[state].bytes)
      }
      moved.inc(figures.moved.entries)
    },
  }
}

function resultOf(failed: boolean): string {
  return failed ? 'failed' : 'ok'
}

function createWatches(registers: Registry[]): Pick<Metrics, 'watchCache' | 'watchGauge' | 'watchCounter'> {
  const caches = new Map<string, () => CacheStats>()
  const watch = (metric: { name: string; help: string }, field: keyof CacheStats): void => {
    const options = { ...metric, labelNames: ['cache'], registers }
    const collect = (set: (cache: string, value: number) => void) => {
      for (const [cache, stats] of caches) set(cache, stats()[field])
    }
    if (field === 'hits' || field === 'misses') {
      const counter: Counter = new Counter({
        ...options,
        // The caches count since their start; a counter accepts only increments.
        collect: () => {
          counter.reset()
          collect((cache, value) => counter.inc({ cache }, value))
        },
      })
      return
    }
    const gauge: Gauge = new Gauge({
      ...options,
      collect: () => collect((cache, value) => gauge.set({ cache }, value)),
    })
  }
  watch({ name: 'lading_cache_hits_total', help: 'Lookups that a memory cache answered.' }, 'hits')
  watch(
    { name: 'lading_cache_misses_total', help: 'Lookups that a memory cache could not answer.' },
    'misses',
  )
  watch({ name: 'lading_cache_entries', help: 'Entries in a memory cache.' }, 'entries')
  watch({ name: 'lading_cache_bytes', help: 'Memory used by the values of a cache.' }, 'bytes')
  return {
    watchCache: (cache, stats) => void caches.set(cache, stats),
    watchGauge({ name, help, read }) {
      const gauge: Gauge = new Gauge({ name, help, registers, collect: () => readInto(gauge, read) })
    },
    watchCounter({ name, help, read }) {
      const collect = (): void => {
        counter.reset()
        counter.inc(read())
      }
      const counter: Counter = new Counter({ name, help, registers, collect })
    },
  }
}

async function readInto(gauge: Gauge, read: () => number | Promise<number>): Promise<void> {
  try {
    gauge.set(await read())
  } catch {
    // A database that does not respond must not affect the other metrics.
    gauge.remove()
  }
}
