/** Serves `/metrics` on a separate listener, for networks that only the monitoring can reach. */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Log } from '../log.ts'
import { refuse } from './metrics-endpoint.ts'
import type { MetricsEndpoint, WholeReply } from './metrics-endpoint.ts'
import { RequestTurns } from '../connections/request-turns.ts'

export interface MetricsListener extends AsyncDisposable {
  readonly port: number
}

/** The most open connections. A scraper needs one. */
const maxConnections = 50
const headersMs = 10_000
/** The silence after which a connection is closed. */
const silenceMs = 60_000
/** The most requests that wait on a connection. Scrapers wait for each reply. */
const maxWaiting = 2

/** Resolves once the listener is open; port 0 selects a free port. Throws the error of a failed listen. */
export async function startMetricsListener(
  address: { readonly host: string; readonly port: number },
  deps: { readonly endpoint: MetricsEndpoint; readonly log: Pick<Log, 'error'> },
): Promise<MetricsListener> {
  const server = createServer({ headersTimeout: headersMs, requestTimeout: headersMs })
  server.maxConnections = maxConnections
  server.timeout = silenceMs
  const turns = new RequestTurns({
    maxWaiting,
    serve: ({ incoming, response }) => void answer(incoming, response, deps),
    refuse: (_, socket) => socket.destroy(),
    onOverflow: () => undefined,
    onParsedAhead: () => undefined,
    isClosing: () => false,
  })
  server.on('request', (incoming, response) => turns.enter({ incoming, response, expectsContinue: false }))
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
    return refuse(404, 'this listener serves only /metrics')
  if (method !== 'GET' && method !== 'HEAD')
    return refuse(405, 'read the metrics with GET', ['Allow', 'GET, HEAD'])
  return endpoint(headers.authorization)
}
