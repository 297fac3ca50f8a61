/** The requests of the event-loop proof, as cheap for this process as possible: bodies are counted, not kept. */
import { once } from 'node:events'
import http from 'node:http'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

import { fixedHttpLimits } from '../../../src/http/limits.ts'

/** The most requests that one connection may send before its first response: one in progress, the others waiting. */
const mostPerConnection = 1 + fixedHttpLimits.waitingPerConnection

export interface Asking {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

export interface Drained {
  readonly status: number
  readonly bytes: number
  readonly link: string | undefined
  /** The digest of a manifest; `undefined` for other responses. */
  readonly digest: string | undefined
}

/** Sends one request and discards the body of the response. */
export async function drain(
  asking: Asking,
  path: string,
  { method = 'GET', body }: { readonly method?: string; readonly body?: Uint8Array } = {},
): Promise<Drained> {
  const { url, headers = {}, signal } = asking
  const type = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }
  const request = http.request(`${url}${path}`, {
    method,
    headers: { ...headers, ...(body !== undefined && type) },
    signal,
    agent: false,
  })
  request.end(body)
  const [response] = (await once(request, 'response', { signal })) as [http.IncomingMessage]
  let bytes = 0
  for await (const chunk of response) bytes += (chunk as Buffer).length
  const { link } = response.headers
  const digest = response.headers['docker-content-digest']?.toString()
  return { status: response.statusCode ?? 0, bytes, link: link?.toString(), digest }
}

/** Follows the Link headers to the last page. Throws when the status of a page is not 200. */
export async function drainPages(asking: Asking, path: string): Promise<string> {
  let pages = 0
  let bytes = 0
  for (let next: string | undefined = path; next !== undefined; pages += 1) {
    const page: Drained = await drain(asking, next)
    if (page.status !== 200) throw new Error(`${next} was answered with ${page.status}`)
    bytes += page.bytes
    next = /<([^>]+)>; *rel="?next/.exec(page.link ?? '')?.[1]
  }
  return `${pages} pages, ${formatMiB(bytes)}`
}

/** Throws unless the response has the status. */
export async function expectStatus(answer: Promise<Drained>, status: number): Promise<string> {
  const { status: actual, bytes } = await answer
  if (actual !== status) throw new Error(`answered with ${actual} in place of ${status}`)
  return `${actual}, ${formatMiB(bytes)}`
}

/**
 * Sends the requests over as many connections as needed, one after the other; each connection sends all its requests in one
 * write.
 */
export async function pipeline(asking: Asking, path: string, count: number): Promise<string> {
  let connections = 0
  let bytes = 0
  for (let left = count; left > 0; left -= mostPerConnection, connections += 1) {
    bytes += await pipelineOnce(asking, path, Math.min(mostPerConnection, left))
  }
  return `${connections} connections, ${formatMiB(bytes)}`
}

/**
 * Sends the requests, the last with `Connection: close`. Returns how many bytes arrived; throws unless the first status is 200.
 */
async function pipelineOnce(asking: Asking, path: string, count: number): Promise<number> {
  using connection = openSocket(asking)
  const { socket } = connection
  await once(socket, 'connect', { signal: asking.signal })
  let bytes = 0
  let start = ''
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (start.length < 20) start += chunk.toString('latin1', 0, 20)
  })
  const ended = once(socket, 'close', { signal: asking.signal })
  socket.write(requestText(path).repeat(count - 1) + requestText(path, 'Connection: close\r\n'))
  await ended
  if (!start.startsWith('HTTP/1.1 200')) throw new Error(`answered with ${JSON.stringify(start)}`)
  return bytes
}

/** Opens connections that send as many requests as allowed and read nothing. */
export async function holdSilently(
  asking: Asking,
  { path, connections, ms }: { path: string; connections: number; ms: number },
): Promise<string> {
  using held = new DisposableStack()
  let closed = 0
  for (let index = 0; index < connections; index += 1) {
    const { socket } = held.use(openSocket(asking))
    socket.pause()
    socket.on('close', () => (closed += 1))
    socket.write(requestText(path).repeat(mostPerConnection))
  }
  await delay(ms, undefined, { signal: asking.signal })
  return `${closed} of ${connections} closed by the server`
}

function openSocket({ url }: Asking) {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  socket.on('error', () => undefined)
  return { socket, [Symbol.dispose]: () => void socket.destroy() }
}

function requestText(path: string, header = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: registry\r\n${header}\r\n`
}

function formatMiB(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
