/**
 * Measures the waits of other clients: sends a small request every few milliseconds on its own connection and in its own thread,
 * so that the load of the other thread is not measured. A wait counts for each request that would have begun during it.
 */
import { connect } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'

export interface ProbeInput {
  readonly url: string
  readonly paths: readonly string[]
}

export interface Waits {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** The number of answered requests. */
  readonly requests: number
}

const everyMs = 5
const { url, paths } = workerData as ProbeInput
const { hostname, port } = new URL(url)
const socket = connect({ host: hostname, port: Number(port), noDelay: true })
const waits: number[] = []
let requests = 0
let askedAt = 0

function ask(): void {
  const path = paths[requests % paths.length] ?? '/'
  requests += 1
  askedAt = performance.now()
  socket.write(`HEAD ${path} HTTP/1.1\r\nHost: registry\r\n\r\n`)
}

function note(wait: number): void {
  for (let rest = wait; rest >= 0; rest -= everyMs) waits.push(rest)
}

let head = ''
socket.setEncoding('latin1')
socket.on('connect', ask)
socket.on('data', (text: string) => {
  head += text
  if (!head.includes('\r\n\r\n')) return
  head = ''
  const wait = performance.now() - askedAt
  askedAt = 0
  // The first request only opens the connection.
  if (requests === 1) parentPort?.postMessage('ready', [])
  else note(wait)
  setTimeout(ask, Math.max(0, everyMs - wait))
})
socket.on('error', () => undefined)

parentPort?.on('message', () => {
  // Count the request that was never answered, too.
  if (askedAt > 0) note(performance.now() - askedAt)
  socket.destroy()
  const sorted = waits.toSorted((a, b) => a - b)
  const at = (part: number): number => sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN
  const told: Waits = {
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
    requests: askedAt > 0 ? requests - 1 : requests,
  }
  parentPort?.postMessage(told, [])
  parentPort?.close()
})
