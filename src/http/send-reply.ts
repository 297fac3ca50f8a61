/** Writes a reply to the connection, and sees to the rest of a request body that nobody read. */
import { ClientGoneError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import type { HttpLimits } from './limits.ts'
import type { Reply, StreamBody } from './reply.ts'
import { abortOnClose } from './request.ts'
import { ResponseSink } from './response-sink.ts'

/**
 * Resolves when everything was handed to the connection. Throws `ClientGoneError` when nobody is left to read, and
 * whatever the source of a streamed body throws: then the connection is cut, since its length was promised.
 */
export async function sendReply(exchange: Exchange, reply: Reply, limits: HttpLimits): Promise<void> {
  const { response, incoming } = exchange
  const { body } = reply
  if (response.destroyed) {
    if (body !== undefined && !(body instanceof Uint8Array)) await body[Symbol.asyncDispose]()
    throw new ClientGoneError()
  }
  // The client holds its body back until it is asked for it, and now never is.
  if (exchange.expectsContinue && exchange.body.unread) response.shouldKeepAlive = false
  if (reply.reason !== undefined) response.statusMessage = reply.reason
  response.writeHead(reply.status, toHeaders(exchange.id, reply))
  if (body !== undefined && !(body instanceof Uint8Array)) {
    await streamBody(exchange, body, limits)
    await endExchange(exchange, undefined, limits)
    return
  }
  const last = incoming.method === 'HEAD' ? undefined : body
  exchange.bytesOut = last?.length ?? 0
  await endExchange(exchange, last, limits)
}

function toHeaders(requestId: string, { headers, length }: Reply): string[] {
  const common = [
    'Docker-Distribution-API-Version',
    'registry/2.0',
    'X-Content-Type-Options',
    'nosniff',
    'X-Request-Id',
    requestId,
    ...headers,
  ]
  if (length !== undefined) common.push('Content-Length', String(length))
  return common
}

async function streamBody(exchange: Exchange, body: StreamBody, limits: HttpLimits): Promise<void> {
  const { response } = exchange
  await using source = body
  using sink = new ResponseSink(response, limits.replyIdleMs)
  try {
    await source.copyTo(sink, abortOnClose(response))
  } catch (error) {
    const gone = response.destroyed
    response.destroy()
    throw gone ? new ClientGoneError() : error
  } finally {
    exchange.bytesOut = sink.written
  }
}

/**
 * The reply is complete for the client by its length. Ending the response would let Node close the connection, or
 * read on without a bound, while the client still writes: so the body is dropped first, within bounds.
 */
async function endExchange(
  exchange: Exchange,
  last: Uint8Array | undefined,
  limits: HttpLimits,
): Promise<void> {
  const { response, body } = exchange
  if (!body.unread) {
    response.end(last)
    return
  }
  response.on('error', () => undefined)
  if (last === undefined) response.flushHeaders()
  else response.write(last)
  const complete = await body.discard({ bytes: limits.refusedBodyBytes, ms: limits.refusedBodyMs })
  if (complete && !response.destroyed) response.end()
  else response.destroy()
}
