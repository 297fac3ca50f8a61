import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { parseTraceparent, startTracing } from './tracing.ts'

interface SentSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly status: { readonly code?: number }
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[]
}

/** An OTLP endpoint that keeps what it gets. */
async function startCollector({ status = 200 } = {}) {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (part: string) => void (body += part))
    request.once('end', () => {
      bodies.push(body)
      response.writeHead(status, { 'Content-Type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}/v1/traces`,
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

const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'

describe('startTracing', () => {
  test('sends a span per request with what happened inside below it', async () => {
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
      tracing.onRequest({ route: 'end-2', status: 200 })
    })
    await tracing[Symbol.asyncDispose]()
    expect(errors).toEqual([])
    const [child, parent] = collector.spans()
    expect(parent).toMatchObject({ name: 'GET', traceId, parentSpanId: spanId })
    expect(parent?.status.code ?? 0).toBe(0)
    expect(Object.fromEntries(parent?.attributes.map(({ key, value }) => [key, value]) ?? [])).toEqual({
      'http.request.method': { stringValue: 'GET' },
      'http.route': { stringValue: 'end-2' },
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

  test('marks a request that met a fault, and traces nothing outside of requests', async () => {
    await using collector = await startCollector()
    const tracing = await startTracing({ ...collector, version: '1', onError: () => undefined })
    tracing.onCall({ name: 'transaction', durationMs: 1, failed: false })
    tracing.onRequest({ route: 'end-3', status: 200 })
    tracing.runRequest({ id: 'r-1', method: 'PUT', traceparent: undefined }, () =>
      tracing.onRequest({ route: 'end-7', status: 503 }),
    )
    await tracing[Symbol.asyncDispose]()
    expect(collector.spans()).toEqual([
      expect.objectContaining({ name: 'PUT', status: expect.objectContaining({ code: 2 }) }),
    ])
  })

  test('says when nobody takes the traces, and stops all the same', async () => {
    await using collector = await startCollector({ status: 400 })
    const errors: string[] = []
    const tracing = await startTracing({
      endpoint: collector.endpoint,
      version: '1',
      onError: (reason) => void errors.push(reason),
    })
    tracing.runRequest({ id: 'r-1', method: 'GET', traceparent: undefined }, () =>
      tracing.onRequest({ route: 'x', status: 200 }),
    )
    await tracing[Symbol.asyncDispose]()
    expect(errors).not.toEqual([])
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
