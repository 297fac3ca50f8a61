/** Checks that the registry can listen on its ports, and that clients reach it there and not another program. */
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Config } from '../../../config/schema.ts'
import { findOtherListener } from '../server/other-listener.ts'
import { broken, ok, warning } from './finding.ts'
import type { Finding } from './finding.ts'

export async function* checkPorts(config: Config): AsyncGenerator<Finding> {
  const { host, port, tls } = config.http
  const probe = tls.cert === undefined ? undefined : 'tls'
  yield await checkPort('http', { host, port, probe })
  if (await findOtherListener(host, port)) yield describeOtherListener(port)
  const { metrics } = config
  if (metrics.port !== undefined) {
    yield await checkPort('metrics', { host: metrics.host, port: metrics.port, probe: undefined })
  }
}

function describeOtherListener(port: number): Finding {
  return warning(
    'ports',
    `another program listens on [::1]:${port}: clients that use localhost:${port} may reach it instead`,
    'use 127.0.0.1 in clients, stop that program, or choose another http.port',
  )
}

interface Place {
  readonly host: string
  readonly port: number
  readonly probe: 'tls' | undefined
}

async function checkPort(section: 'http' | 'metrics', place: Place): Promise<Finding> {
  const { host, port } = place
  if (port === 0) return ok('ports', `${section}.port is 0: each start picks a free port`)
  const code = await tryListening(host, port)
  if (code === undefined) return ok('ports', `${host}:${port} (${section}.port) is free`)
  if (code !== 'EADDRINUSE') return explainRefusal(section, place, code)
  if (section === 'metrics')
    return ok('ports', `${host}:${port} (metrics.port) is in use, probably by a running registry`)
  if (await isRegistry(place)) return ok('ports', `a registry answers on ${host}:${port}`)
  return broken(
    'ports',
    `${host}:${port} is in use by a program that is not a registry`,
    'stop that program, or choose another http.port',
  )
}

function explainRefusal(section: 'http' | 'metrics', { host, port }: Place, code: string): Finding {
  if (code === 'EACCES') {
    return broken(
      'ports',
      `no permission to listen on port ${port}`,
      `set ${section}.port to a number above 1023, or grant the permission`,
    )
  }
  return broken(
    'ports',
    `cannot listen on ${host} (${code})`,
    `set ${section}.host to an address of this machine`,
  )
}

/** Returns the code of the error, or `undefined` if the port is free. */
function tryListening(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}

const timeoutMs = 2_000
const maxReplyChars = 4_096
/** A header in every reply of a registry. */
const registryHeader = /^docker-distribution-api-version: *registry\/2\.0\r?$/im

/** Whether a registry answers. Sends the request by hand, because the certificate may be for another name. */
async function isRegistry({ host, port, probe }: Place): Promise<boolean> {
  const address = loopbackFor.get(host) ?? host
  const socket =
    probe === 'tls'
      ? connectTls({ host: address, port, rejectUnauthorized: false })
      : connect({ host: address, port })
  const reply = await readReply(
    socket,
    `GET /v2/ HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: close\r\n\r\n`,
  )
  return registryHeader.test(reply)
}

const loopbackFor: ReadonlyMap<string, string> = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
])

function readReply(socket: Socket, request: string): Promise<string> {
  return new Promise((resolve) => {
    let reply = ''
    const end = (): void => {
      socket.destroy()
      resolve(reply)
    }
    socket.setTimeout(timeoutMs, end)
    socket.once('error', end).once('end', end)
    socket.setEncoding('utf8').on('data', (text: string) => {
      reply += text
      if (reply.length > maxReplyChars) end()
    })
    socket.write(request)
  })
}
