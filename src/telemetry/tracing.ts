/**
 * @module Sends traces over OTLP, only if an endpoint is configured: only this file loads the libraries, and only on demand. Each
 * request has a span with its route and status; below it, each write transaction and each call of the store has one. No span
 * contains the requested path, a header, a user or an address.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { performance } from 'node:perf_hooks'
import type { Context, Span, Tracer } from '@opentelemetry/api'
import { messageOf } from '../lib/message-of.ts'

export interface TracedRequest {
  readonly id: string
  readonly method: string
  /** The W3C Trace Context header; a malformed one is ignored. */
  readonly traceparent: string | undefined
}

export interface TracedReply {
  readonly route: string | undefined
  /** The path of the route, with placeholders. */
  readonly path: string | undefined
  readonly status: number | undefined
}

type OpenTelemetry = typeof import('@opentelemetry/api')

export interface Tracing extends AsyncDisposable {
  /** Starts a trace; everything that the work causes, also later, becomes part of it. */
  runRequest<T>(request: TracedRequest, work: () => T): T
  /** Ends the trace of the current request; without a status, the client disconnected before its reply. */
  onRequest(report: TracedReply): void
  /** Records a call that has just ended; does nothing outside of a request. */
  onCall(call: { readonly name: string; readonly durationMs: number; readonly failed: boolean }): void
}

export interface TracingOptions {
  /** The URL that receives traces: OTLP over HTTP. */
  readonly endpoint: string
  readonly version: string
  /** Called when traces could not be sent; they are dropped, and requests do not wait. */
  readonly onError: (reason: string) => void
}

/** How long disposing may take to send the remaining traces. */
const flushMs = 5_000

/** Loads the OpenTelemetry libraries, which takes about 100 ms, and starts tracing. */
export async function startTracing({ endpoint, version, onError }: TracingOptions): Promise<Tracing> {
  const [api, sdk, { defaultResource, resourceFromAttributes }, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ])
  const ignore = (): void => undefined
  api.diag.setLogger(
    {
      error: (report) => onError(describeError(report)),
      warn: ignore,
      info: ignore,
      debug: ignore,
      verbose: ignore,
    },
    { logLevel: api.DiagLogLevel.ERROR, suppressOverrideMessage: true },
  )
  const exporter = new OTLPTraceExporter({ url: endpoint, timeoutMillis: flushMs })
  const service = resourceFromAttributes({ 'service.name': 'lading', 'service.version': version })
  const provider = new sdk.TracerProvider({
    resource: defaultResource().merge(service),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter, exportTimeoutMillis: flushMs })],
  })
  return {
    ...traceRequests(api, provider.getTracer('lading', version)),
    async [Symbol.asyncDispose]() {
      // Traces that cannot be sent must not make a clean stop fail.
      await provider.shutdown().catch((error: unknown) => onError(messageOf(error)))
      api.diag.disable()
    },
  }
}

interface Trace {
  readonly span: Span
  readonly context: Context
  readonly method: string
  /**
   * The wall-clock time of `performance.now() === 0`, as measured when the request started: all spans of a request share it, so
   * none extends beyond its parent.
   */
  readonly epoch: number
}

function traceRequests(api: OpenTelemetry, tracer: Tracer): Omit<Tracing, typeof Symbol.asyncDispose> {
  const current = new AsyncLocalStorage<Trace>()
  return {
    runRequest({ id, method, traceparent }, work) {
      const parent = parseTraceparent(traceparent)
      const startTime = Date.now()
      const epoch = startTime - performance.now()
      const attributes = { 'http.request.method': method, 'lading.request.id': id }
      const span = tracer.startSpan(
        method,
        { kind: api.SpanKind.SERVER, startTime, attributes },
        parent === undefined ? api.ROOT_CONTEXT : api.trace.setSpanContext(api.ROOT_CONTEXT, parent),
      )
      const context = api.trace.setSpan(api.ROOT_CONTEXT, span)
      return current.run({ span, context, method, epoch }, work)
    },
    onRequest({ route, path, status }) {
      const trace = current.getStore()
      if (trace === undefined) return
      const { span, method, epoch } = trace
      if (path !== undefined) span.updateName(`${method} ${path}`).setAttribute('http.route', path)
      if (route !== undefined) span.setAttribute('lading.route.id', route)
      if (status !== undefined) span.setAttribute('http.response.status_code', status)
      if (status === undefined || status >= 500) span.setStatus({ code: api.SpanStatusCode.ERROR })
      span.end(epoch + performance.now())
    },
    onCall({ name, durationMs, failed }) {
      const trace = current.getStore()
      if (trace === undefined) return
      const endTime = trace.epoch + performance.now()
      const span = tracer.startSpan(name, { startTime: endTime - durationMs }, trace.context)
      if (failed) span.setStatus({ code: api.SpanStatusCode.ERROR })
      span.end(endTime)
    },
  }
}

const maxReasonCharacters = 200

/** Returns the message. The libraries report an error as JSON, with its stack and the collector's whole response. */
function describeError(report: string): string {
  const [, message = report] = /"message":"((?:[^"\\]|\\.)*)"/.exec(report) ?? []
  return message.slice(0, maxReasonCharacters)
}

const traceparentForm = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/** Parses W3C Trace Context, version 00. All zeroes mean "none". */
export function parseTraceparent(
  header: string | undefined,
): { traceId: string; spanId: string; traceFlags: number; isRemote: true } | undefined {
  const [, traceId = '', spanId = '', flags = ''] = traceparentForm.exec(header ?? '') ?? []
  if (!/[1-9a-f]/.test(traceId) || !/[1-9a-f]/.test(spanId)) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true }
}
