/** Writes a reply to the connection, and deals with the rest of an unread request body. */
import { STATUS_CODES } from 'node:http'
import { ClientGoneError } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import { smallReplyBytes } from '../limits.ts'
import type { HttpLimits } from '../limits.ts'
import type { Readers } from '../connections/readers.ts'
import type { HeaderList, Reply, StreamBody } from './reply.ts'
import { abortOnClose } from '../requests/request.ts'
import { ResponseSink } from './response-sink.ts'

/**
 * Resolves once everything is passed to the connection. Throws `ClientGoneError` if the client has disconnected, and the errors
 * of the source of a streamed body. After such an error the connection is closed, because its length was promised, unless nothing
 * was sent yet (`headersSent`) and another reply can take its place.
 */
export async function sendReply(exchange: Exchange, reply: Reply, limits: HttpLimits): Promise<void> {
  const { response, incoming } = exchange
  const { body } = reply
  if (response.destroyed) {
    await disposeBody(body)
    throw new ClientGoneError()
  }
  // The client waits for `100 Continue` before it sends its body, and will not get it now.
  if (exchange.expectsContinue && exchange.body.unread) response.shouldKeepAlive = false
  if (body === undefined || incoming.method === 'HEAD') {
    await disposeBody(body)
    writeHead(exchange, reply)
    await endExchange(exchange, undefined, limits)
  } else if (!(body instanceof Uint8Array)) {
    await streamBody(exchange, reply, { body, holdsMemory: false })
    await endExchange(exchange, undefined, limits)
  } else if (body.length < smallReplyBytes) {
    exchange.readers.release(exchange, body.length)
    writeHead(exchange, reply)
    exchange.bytesOut = body.length
    await endExchange(exchange, body, limits)
  } else {
    using _ = exchange.readers.hold(exchange, body)
    await streamBody(exchange, reply, { body: inPieces(body, exchange.readers), holdsMemory: true })
    await endExchange(exchange, undefined, limits)
  }
}

async function disposeBody(body: Reply['body']): Promise<void> {
  if (body !== undefined && !(body instanceof Uint8Array)) await body[Symbol.asyncDispose]()
}

/** Throws for a header that HTTP does not allow. */
function writeHead(
  { id, incoming, response, origin, cors }: Exchange,
  { status, headers, length, reason }: Reply,
): void {
  const all = [
    'Docker-Distribution-API-Version',
    'registry/2.0',
    'X-Content-Type-Options',
    'nosniff',
    'X-Request-Id',
    id,
    ...cors.headersFor(incoming.headers),
    ...(origin.publicUrl === undefined ? headers : withHost(headers, origin.publicUrl)),
  ]
  if (length !== undefined) all.push('Content-Length', String(length))
  // Explicit, because a head that failed before leaves its phrase on the response.
  response.writeHead(status, reason ?? STATUS_CODES[status] ?? '', all)
}

/** Makes `Location` absolute, because some clients use it as it is. */
function withHost(headers: HeaderList, publicUrl: string): HeaderList {
  return headers.map((value, index) => {
    const isLocation = index % 2 === 1 && headers[index - 1] === 'Location' && value.startsWith('/')
    return isLocation ? `${publicUrl}${value}` : value
  })
}

/** Splits a large reply into pieces, so that TLS does not copy it whole and its progress is visible. */
function inPieces(bytes: Uint8Array, readers: Readers): StreamBody {
  return {
    async copyTo(sink) {
      for (let start = 0; start < bytes.length; start += smallReplyBytes) {
        const piece = bytes.subarray(start, start + smallReplyBytes)
        await readers.beginWrite(piece.length)
        await sink.write(piece)
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

interface Stream {
  readonly body: StreamBody
  readonly holdsMemory: boolean
}

async function streamBody(exchange: Exchange, reply: Reply, stream: Stream): Promise<void> {
  const { response } = exchange
  await using source = stream.body
  using sink = new ResponseSink(response, () => writeHead(exchange, reply))
  exchange.readers.watch(response, stream)
  try {
    await source.copyTo(sink, abortOnClose(response))
    sink.begin()
  } catch (error) {
    if (response.destroyed) throw new ClientGoneError()
    if (response.headersSent) response.destroy()
    throw error
  } finally {
    exchange.bytesOut = sink.written
  }
}

/**
 * Ends the exchange. For the client, the reply is complete by its length. Ending the response would let Node close the
 * connection, or read on without a limit, while the client still sends, so the rest of the body is first dropped within
 * limits.
 */
async function endExchange(
  exchange: Exchange,
  last: Uint8Array | undefined,
  limits: HttpLimits,
): Promise<void> {
  const { response, body, readers } = exchange
  if (!body.unread) {
    response.end(last)
    // `writableFinished` turns true in a later turn, even if the kernel accepts everything at once.
    if (response.writableLength > 0) readers.watch(response, { holdsMemory: false })
    return
  }
  response.on('error', () => undefined)
  if (last === undefined) response.flushHeaders()
  else response.write(last)
  readers.watch(response, { holdsMemory: false })
  const complete = await body.discard({ bytes: limits.refusedBodyBytes, ms: limits.refusedBodyMs })
  if (complete && !response.destroyed) response.end()
  else response.destroy()
}
