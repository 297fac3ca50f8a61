import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { parseTraceparent, startTracing } from './tracing.ts'

interface SentSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  /** Nanoseconds. */
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly status: { readonly code?: number }
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[]
}

/** An OTLP endpoint that keeps the requests it receives. */
async function startCollector({ status = 200 } = {}) {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (part: string) => void (body += part))
    request.once('end', () => {
      bodies.push(body)
      response
        .writeHead(status, { 'Content-Type': 'application/json' })
        .end(JSON.stringify({ told: 'by the collector' }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}/v1/traces`,
    received: () => bodies.join('\n'),
    spans: () =>
      bodies.flatMap((body) => {
        const { resourceSpans } = JSON.parse(body) as {
          resourceSpans: { scopeSpans: { spans: SentSpan[] }[] }[]
        }
        return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
      }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const path = '/v2/<repository>/blobs/<digest>'
const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'

describe('startTracing', () => {
  test('sends a span per request with its inner spans below it', async () => {
    await using collector = await startCollector()
    const errors: string[] = []
    const tracing = await startTracing({
      endpoint: collector.endpoint,
      version: '1.2.3',
      onError: (reason) => void errors.push(reason),
    })
    const request = { id: 'r-1', method: 'GET', traceparent: `00-${traceId}-${spanId}-01` }
    await tracing.runRequest(request, async () => {
      await Promise.resolve()
      tracing.onCall({ name: 'store.open', durationMs: 2, failed: true })
      tracing.onRequest({ route: 'end-2', path, status: 200 })
    })
    await tracing[Symbol.asyncDispose]()
    expect(errors).toEqual([])
    const [child, parent] = collector.spans()
    expect(parent).toMatchObject({ name: `GET ${path}`, traceId, parentSpanId: spanId })
    expect(parent?.status.code ?? 0).toBe(0)
    expect(Object.fromEntries(parent?.attributes.map(({ key, value }) => [key, value]) ?? [])).toEqual({
      'http.request.method': { stringValue: 'GET' },
      'http.route': { stringValue: path },
      'lading.route.id': { stringValue: 'end-2' },
      'http.response.status_code': { intValue: 200 },
      'lading.request.id': { stringValue: 'r-1' },
    })
    expect(child).toMatchObject({
      name: 'store.open',
      traceId,
      parentSpanId: parent?.spanId,
      status: { code: 2 },
    })
  })

  test('keeps inner spans within the time of their request', async () => {
    await using collector = await startCollector()
    const tracing = await startTracing({ ...collector, version: '1', onError: () => undefined })
    for (let count = 0; count < 100; count += 1) {
      tracing.runRequest({ id: 'r-1', method: 'GET', traceparent: undefined }, () => {
        const begun = performance.now()
        tracing.onCall({ name: 'store.open', durationMs: performance.now() - begun, failed: false })
        tracing.onRequest({ route: 'end-2', path, status: 200 })
      })
    }
    await tracing[Symbol.asyncDispose]()
    const requests = new Map(collector.spans().map((span) => [span.spanId, span]))
    const children = collector.spans().filter(({ name }) => name === 'store.open')
    expect(children).toHaveLength(100)
    for (const { parentSpanId = '', ...child } of children) {
      const parent = requests.get(parentSpanId)
      expect(BigInt(child.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(parent?.startTimeUnixNano ?? 0))
      expect(BigInt(child.endTimeUnixNano)).toBeLessThanOrEqual(BigInt(parent?.endTimeUnixNano ?? 0))
    }
  })

  test('names the sending program and its library', async () => {
    await using collector = await startCollector()
    const tracing = await startTracing({ ...collector, version: '1.2.3', onError: () => undefined })
    tracing.runRequest({ id: 'r-1', method: 'GET', traceparent: undefined }, () =>
      tracing.onRequest({ route: undefined, path: undefined, status: 404 }),
    )
    await tracing[Symbol.asyncDispose]()
    for (const [key, value] of [
      ['service.name', 'lading'],
      ['service.version', '1.2.3'],
      ['telemetry.sdk.language', 'nodejs'],
    ]) {
      expect(collector.received()).toContain(JSON.stringify({ key, value: { stringValue: value } }))
    }
    expect(collector.spans()).toMatchObject([{ name: 'GET' }])
  })

  test('marks a request that met a fault, and traces nothing outside of requests', async () => {
    await using collector = await startCollector()
    const tracing = await startTracing({ ...collector, version: '1', onError: () => undefined })
    tracing.onCall({ name: 'transaction', durationMs: 1, failed: false })
    tracing.onRequest({ route: 'end-3', path, status: 200 })
    tracing.runRequest({ id: 'r-1', method: 'PUT', traceparent: undefined }, () =>
      tracing.onRequest({ route: 'end-7', path, status: 503 }),
    )
    await tracing[Symbol.asyncDispose]()
    expect(collector.spans()).toEqual([
      expect.objectContaining({ name: `PUT ${path}`, status: expect.objectContaining({ code: 2 }) }),
    ])
  })

  test('reports briefly that the endpoint does not accept traces, and stops cleanly', async () => {
    await using collector = await startCollector({ status: 400 })
    const errors: string[] = []
    const tracing = await startTracing({
      endpoint: collector.endpoint,
      version: '1',
      onError: (reason) => void errors.push(reason),
    })
    // More than one batch: most of them are sent before the stop.
    for (let count = 0; count < 600; count += 1) {
      tracing.runRequest({ id: 'r-1', method: 'GET', traceparent: undefined }, () =>
        tracing.onRequest({ route: undefined, path: undefined, status: 404 }),
      )
    }
    await tracing[Symbol.asyncDispose]()
    expect(new Set(errors)).toEqual(new Set(['Bad Request']))
  })
})

describe('parseTraceparent', () => {
  test.each([
    [undefined],
    [''],
    [`00-${'0'.repeat(32)}-${spanId}-01`],
    [`00-${traceId}-${'0'.repeat(16)}-01`],
    [`01-${traceId}-${spanId}-01`],
    [`00-${traceId.toUpperCase()}-${spanId}-01`],
    [`00-${traceId}-${spanId}-01-more`],
  ])('ignores %j', (header) => {
    expect(parseTraceparent(header)).toBeUndefined()
  })
})
