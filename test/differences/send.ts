/** Sends one step to one registry. Both receive the same bytes, including `Host`, so no reply contains an address. */
import http from 'node:http'
import { exchangeRaw } from '../support/http/client.ts'
import type { Step, WireStep } from './step.ts'

export interface Answer {
  readonly status: number
  /** The headers, with lower-case names; the values of a repeated header are joined by line breaks. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
  /** Whether the connection ended before the announced length; `body` has the bytes that arrived. */
  readonly cut: boolean
}

export const host = 'registry.example'
const patienceMs = 20_000

/** Sends a step on a connection of its own. `target` is the target of the step on this registry. */
export async function send(url: string, step: Step, target: string): Promise<Answer> {
  const { hostname, port } = new URL(url)
  const request = http.request({
    host: hostname,
    port,
    method: step.method,
    path: target,
    headers: { Host: host, Connection: 'close', ...framing(step), ...step.headers },
    agent: false,
  })
  request.setTimeout(patienceMs, () =>
    request.destroy(new Error(`${step.method} ${target}: no answer in time`)),
  )
  const received = Promise.withResolvers<http.IncomingMessage>()
  let answered = false
  request.on('response', (response) => {
    answered = true
    received.resolve(response)
  })
  // The server may reset the sending side once the head of its reply has arrived.
  request.on('error', (error) => {
    if (!answered) received.reject(error)
  })
  request.end(step.body)
  const response = await received.promise
  const { body, cut } = await readBody(response)
  return { status: response.statusCode ?? 0, headers: toMap(response.rawHeaders), body, cut }
}

async function readBody(response: http.IncomingMessage): Promise<Pick<Answer, 'body' | 'cut'>> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error
  }
  return { body: Buffer.concat(chunks), cut: !response.complete }
}

function framing({ body, chunked }: Step): Record<string, string> {
  if (chunked === true) return { 'Transfer-Encoding': 'chunked' }
  return body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }
}

/** Returns the reply up to its announced length or the end of the connection. The status is 0 if there is no reply. */
export async function sendWire(url: string, { wire }: WireStep): Promise<Answer> {
  const received = await exchangeRaw(url, wire, { until: isComplete, timeoutMs: patienceMs })
  const end = received.indexOf('\r\n\r\n')
  if (end === -1) return { status: 0, headers: new Map(), body: Buffer.from(received, 'latin1'), cut: true }
  const [statusLine = '', ...lines] = received.slice(0, end).split('\r\n')
  const raw = lines.flatMap((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).trim()]
  })
  const body = Buffer.from(received.slice(end + 4), 'latin1')
  return { status: Number(statusLine.split(' ')[1]), headers: toMap(raw), body, cut: false }
}

function isComplete(received: string): boolean {
  const end = received.indexOf('\r\n\r\n')
  const length = /^content-length: *(\d+)/im.exec(received.slice(0, end))?.[1]
  return end !== -1 && length !== undefined && received.length >= end + 4 + Number(length)
}

function toMap(raw: readonly string[]): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase()
    const value = raw[i + 1] ?? ''
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : `${before}\n${value}`)
  }
  return headers
}
