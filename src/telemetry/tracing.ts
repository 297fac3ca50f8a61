/**
 * @module
 * Traces over OTLP, only when an endpoint is configured: the libraries are loaded here and nowhere else, and on demand. One
 * span per request with the id of its route and its status, below it one per write transaction and call of the store. No
 * span carries a path, a header, a user or an address.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { performance } from 'node:perf_hooks'
import type { Context } from '@opentelemetry/api'

export interface TracedRequest {
  readonly id: string
  readonly method: string
  /** The header of W3C Trace Context; what does not follow its form is ignored. */
  readonly traceparent: string | undefined
}

export interface Tracing extends AsyncDisposable {
  /** Begins a trace; what the work causes, also later, becomes part of it. */
  runRequest<T>(request: TracedRequest, work: () => T): T
  /** Ends the trace of the request that this is called for; without a status the client left before it had a reply. */
  onRequest(report: { readonly route: string | undefined; readonly status: number | undefined }): void
  /** Something inside a request has just ended; outside of one nothing is traced. */
  onCall(call: { readonly name: string; readonly durationMs: number; readonly failed: boolean }): void
}

export interface TracingOptions {
  /** Where traces go: OTLP over HTTP. */
  readonly endpoint: string
  readonly version: string
  /** Traces could not be sent; they are dropped, requests are not held up. */
  readonly onError: (reason: string) => void
}

/** Disposing sends what is left, within this time. */
const flushMs = 5_000

/** Loads the libraries (some 100 ms) and starts. */
export async function startTracing({ endpoint, version, onError }: TracingOptions): Promise<Tracing> {
  const [api, sdk, { resourceFromAttributes }, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ])
  const ignore = (): void => undefined
  api.diag.setLogger(
    { error: onError, warn: ignore, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: api.DiagLogLevel.ERROR, suppressOverrideMessage: true },
  )
  const exporter = new OTLPTraceExporter({ url: endpoint, timeoutMillis: flushMs })
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'lading', 'service.version': version }),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter, exportTimeoutMillis: flushMs })],
  })
  const tracer = provider.getTracer('lading', version)
  const current = new AsyncLocalStorage<Context>()
  return {
    runRequest({ id, method, traceparent }, work) {
      const parent = parseTraceparent(traceparent)
      const span = tracer.startSpan(
        method,
        { kind: api.SpanKind.SERVER, attributes: { 'http.request.method': method, 'lading.request.id': id } },
        parent === undefined ? api.ROOT_CONTEXT : api.trace.setSpanContext(api.ROOT_CONTEXT, parent),
      )
      return current.run(api.trace.setSpan(api.ROOT_CONTEXT, span), work)
    },
    onRequest({ route, status }) {
      const span = api.trace.getSpan(current.getStore() ?? api.ROOT_CONTEXT)
      if (span === undefined) return
      if (route !== undefined) span.setAttribute('http.route', route)
      if (status !== undefined) span.setAttribute('http.response.status_code', status)
      if (status === undefined || status >= 500) span.setStatus({ code: api.SpanStatusCode.ERROR })
      span.end()
    },
    onCall({ name, durationMs, failed }) {
      const parent = current.getStore()
      if (parent === undefined) return
      const span = tracer.startSpan(name, { startTime: performance.now() - durationMs }, parent)
      if (failed) span.setStatus({ code: api.SpanStatusCode.ERROR })
      span.end(performance.now())
    },
    async [Symbol.asyncDispose]() {
      // Traces that cannot be sent must not spoil a clean stop.
      await provider.shutdown().catch((error: unknown) => onError(String(error)))
      api.diag.disable()
    },
  }
}

const traceparentForm = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/** W3C Trace Context, version 00. Zeroes mean "none". */
export function parseTraceparent(
  header: string | undefined,
): { traceId: string; spanId: string; traceFlags: number; isRemote: true } | undefined {
  const [, traceId = '', spanId = '', flags = ''] = traceparentForm.exec(header ?? '') ?? []
  if (!/[1-9a-f]/.test(traceId) || !/[1-9a-f]/.test(spanId)) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true }
}
