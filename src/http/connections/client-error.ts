/**
 * Answers input that the HTTP parser refused. There is no request object, so the reply is written by hand and the
 * connection closed.
 */
import type { Socket } from 'node:net'
import type { ServerResponse } from 'node:http'
import type { Log } from '../log.ts'

interface ParserError extends Error {
  readonly code?: string
  readonly rawPacket?: Uint8Array
}

/** How long a refused connection may still send before it is cut: long enough for the reply to arrive first. */
const lingerMs = 1_000

const statusLines: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

interface ClientErrorContext {
  /** The reply that the connection is busy with. */
  readonly current: ServerResponse | undefined
  readonly requestId: string
  readonly log: Log
}

/** Answers clients that speak plain HTTP to a TLS port. Anything else they send is dropped. */
export function answerWithoutTls(socket: Socket, requestId: string): void {
  const message = 'this port speaks TLS: use https://, not http://'
  socket.on('error', () => undefined)
  socket.resume()
  endWith(socket, formatRefusal('400 Bad Request', { requestId, message }))
}

/**
 * Answers or drops a connection after a parser error. Clients probe with TLS, and networks break, so the log line is at
 * debug.
 */
export function answerClientError(error: ParserError, socket: Socket, context: ClientErrorContext): void {
  const { current, requestId, log } = context
  log.debug({ requestId, code: error.code, tls: isTlsHello(error.rawPacket) }, 'a connection was refused')
  const busy = current !== undefined && current.headersSent && !current.writableFinished
  if (!socket.writable || error.code === 'ECONNRESET' || isHandshakeError(error) || busy) {
    socket.destroy()
    return
  }
  // The parser reports every further packet too; one reply is enough.
  if (socket.writableEnded) return
  const statusLine = statusLines[error.code ?? ''] ?? '400 Bad Request'
  const message = `${statusLine.slice(4)}: the request is not valid HTTP/1.1`
  endWith(socket, formatRefusal(statusLine, { requestId, message }))
}

function endWith(socket: Socket, reply: string): void {
  socket.end(reply)
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer))
}

/** Whether the TLS handshake failed: without agreed keys, no reply can be sent. */
function isHandshakeError({ code = '' }: ParserError): boolean {
  return code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS')
}

/** Whether the packet is a TLS handshake record: the plain reply tells the client to try without TLS. */
function isTlsHello(packet: Uint8Array | undefined): boolean {
  return packet?.[0] === 0x16 && packet[1] === 0x03
}

function formatRefusal(
  statusLine: string,
  { requestId, message }: { requestId: string; message: string },
): string {
  const body = JSON.stringify({ errors: [{ code: 'UNSUPPORTED', message, detail: { requestId } }] })
  return [
    `HTTP/1.1 ${statusLine}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Docker-Distribution-API-Version: registry/2.0',
    'X-Content-Type-Options: nosniff',
    `X-Request-Id: ${requestId}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}
