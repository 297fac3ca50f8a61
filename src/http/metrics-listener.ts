/**
 * Serves `/metrics` on a listener of its own, for networks that only the monitoring reaches, or as an endpoint of the
 * registry's listener behind a token. What is measured and in which format is none of this folder's business.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { RouteUnknownError } from './errors.ts'
import type { HandlerDeps } from './handlers/handler-deps.ts'
import type { Log } from './log.ts'
import type { HeaderList, Reply } from './reply.ts'
import type { RegistryRequest } from './request.ts'

export interface MetricsSource {
  readonly contentType: string
  render(): Promise<string>
}

interface WholeReply extends Reply {
  readonly body: Uint8Array
}

/** From the `Authorization` header of a GET to its reply. */
export type MetricsEndpoint = (authorization: string | undefined) => Promise<WholeReply>

/** Without a token everyone may read. */
export function createMetricsEndpoint(source: MetricsSource, token: string | undefined): MetricsEndpoint {
  const expected = token === undefined ? undefined : digestOf(`Bearer ${token}`)
  return async (authorization = '') => {
    // Digests have one length, so that the comparison takes the same time whatever was sent.
    if (expected !== undefined && !timingSafeEqual(digestOf(normalize(authorization)), expected)) {
      return refuse(401, 'the metrics are served to those who send metrics.token as bearer token', [
        'WWW-Authenticate',
        'Bearer realm="metrics"',
      ])
    }
    return reply(
      200,
      ['Content-Type', source.contentType, 'Cache-Control', 'no-store'],
      await source.render(),
    )
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** The scheme is written in any case (RFC 9110, 11.1). */
function normalize(authorization: string): string {
  return authorization.replace(/^bearer +/i, 'Bearer ')
}

function refuse(status: number, message: string, headers: HeaderList = []): WholeReply {
  const code = status === 401 ? 'UNAUTHORIZED' : 'UNSUPPORTED'
  const body = JSON.stringify({ errors: [{ code, message, detail: {} }] })
  return reply(status, ['Content-Type', 'application/json', ...headers], body)
}

function reply(status: number, headers: HeaderList, text: string): WholeReply {
  const body = Buffer.from(text)
  return { status, headers, length: body.length, body }
}

/** The endpoint on the registry's own listener; where none is configured, there is no such path. */
export function answerMetrics({ headers }: RegistryRequest, deps: HandlerDeps): Promise<Reply> {
  if (deps.metrics === undefined) throw new RouteUnknownError('/metrics')
  return deps.metrics(headers.authorization)
}

export interface MetricsListener extends AsyncDisposable {
  readonly port: number
}

/** A scraper needs one connection; more than this is no monitoring. */
const maxConnections = 50
const headersMs = 10_000

/** Resolves when it listens; port 0 takes a free one. Throws what listening failed with. */
export async function startMetricsListener(
  address: { readonly host: string; readonly port: number },
  deps: { readonly endpoint: MetricsEndpoint; readonly log: Pick<Log, 'error'> },
): Promise<MetricsListener> {
  const server = createServer({ headersTimeout: headersMs, requestTimeout: headersMs })
  server.maxConnections = maxConnections
  server.on('request', (request, response) => void answer(request, response, deps))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(address, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { endpoint, log }: { readonly endpoint: MetricsEndpoint; readonly log: Pick<Log, 'error'> },
): Promise<void> {
  try {
    const { status, headers, length, body } = await replyTo(request, endpoint)
    response.writeHead(status, [
      'X-Content-Type-Options',
      'nosniff',
      ...headers,
      'Content-Length',
      String(length),
    ])
    response.end(request.method === 'HEAD' ? undefined : body)
  } catch (error) {
    log.error({ err: error }, 'the metrics could not be read')
    response.destroy()
  }
}

async function replyTo(
  { method, url = '', headers }: IncomingMessage,
  endpoint: MetricsEndpoint,
): Promise<WholeReply> {
  if (url !== '/metrics' && !url.startsWith('/metrics?'))
    return refuse(404, 'this listener serves /metrics alone')
  if (method !== 'GET' && method !== 'HEAD')
    return refuse(405, 'the metrics are read with GET', ['Allow', 'GET, HEAD'])
  return endpoint(headers.authorization)
}
