/** Passes requests for `/api/` to the management API and turns its answers into replies. */
import type { IncomingMessage } from 'node:http'
import { acceptsHtml } from '../lib/accepts-html.ts'
import type { ApiReply, ApiRequest, ManagementApi } from '../api/api-request.ts'
import type { Gate } from '../edge/gate.ts'
import { Turns } from '../lib/turns/turns.ts'
import type { ByteSink } from '../registry/blobs.ts'
import { admit } from './admit.ts'
import { isChallenge } from './audit-refusal.ts'
import { checkHead } from './requests/check-head.ts'
import { BodyTooLargeError, ClientGoneError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import type { HttpLimits } from './limits.ts'
import { logFault } from './log-request.ts'
import type { Log } from './log.ts'
import { readToParse } from './requests/read-whole.ts'
import type { Reply, StreamBody } from './replies/reply.ts'
import { abortOnClose, limitBody } from './requests/request.ts'
import { stripAuthority } from './router.ts'

export interface ManagementDeps {
  readonly limits: HttpLimits
  readonly log: Log
  readonly gate: Gate
}

/** The answer of the management API, with the endpoint for the observer. */
export interface AnsweredByApi {
  readonly reply: Reply
  readonly route: ApiReply['endpoint']
  /** Builds the reply to send if `reply` cannot be sent. */
  readonly explain: (error: unknown) => Reply
}

/**
 * Whether the management API answers a request: for a target below `/api` in either form (RFC 9112, 3.2), which no
 * repository can have, and for a browser that opens the root.
 */
export function isForApi({ url = '', method = '', headers }: IncomingMessage): boolean {
  if (/^(?:https?:\/\/[^/?]*)?\/api(?:[/?]|$)/i.test(url)) return true
  const isRoot = /^(?:https?:\/\/[^/?]*)?\/(?:\?|$)/i.test(url)
  return isRoot && ['GET', 'HEAD'].includes(method) && acceptsHtml(headers.accept)
}

/** Throws only `ClientGoneError`. */
export async function answerByApi(
  exchange: Exchange,
  api: ManagementApi,
  deps: ManagementDeps,
): Promise<AnsweredByApi> {
  const { limits, log } = deps
  const request = toApiRequest(exchange, deps)
  const answered = await ask(exchange, { api, request, limits })
  const toLoggedReply = (reply: ApiReply): Reply => {
    if (reply.reason !== undefined) {
      const challenges = reply.status === 401 && isChallenge(exchange, undefined)
      exchange.refusal = { reason: reply.reason, isChallenge: challenges }
    }
    if (reply.fault !== undefined) logFault(exchange, reply.fault.error, { log, ...reply.fault })
    return toReply(reply)
  }
  return {
    reply: toLoggedReply(answered),
    route: answered.endpoint,
    explain: (error) => toLoggedReply(api.refuse(error, request)),
  }
}

async function ask(
  exchange: Exchange,
  { api, request, limits }: { api: ManagementApi; request: ApiRequest; limits: HttpLimits },
): Promise<ApiReply> {
  try {
    checkHead(exchange.incoming, limits)
    const answered = await api.answer(request)
    // The client disconnected in the middle of its body, or while its reply waited for memory.
    if (answered.fault?.error instanceof ClientGoneError) throw answered.fault.error
    return answered
  } catch (error) {
    if (error instanceof ClientGoneError || exchange.response.destroyed) throw new ClientGoneError()
    return api.refuse(error, request)
  }
}

function toApiRequest(exchange: Exchange, deps: ManagementDeps): ApiRequest {
  const { incoming, id, origin, body } = exchange
  const target = stripAuthority(incoming.url ?? '')
  const [path = ''] = target.split('?', 1)
  const { headers } = incoming
  let signal: AbortSignal | undefined
  const getSignal = (): AbortSignal => (signal ??= abortOnClose(exchange.response))
  return {
    id,
    method: incoming.method ?? '',
    path,
    rawQuery: target.slice(path.length + 1),
    headers,
    origin,
    registryUrl: origin.registryUrl,
    get signal() {
      return getSignal()
    },
    admit: (asked) =>
      admit(exchange, { ...asked, surface: 'management', method: incoming.method ?? '' }, deps),
    reserve: (bytes) => exchange.readers.reserve(exchange, bytes, getSignal),
    readBody(bytes) {
      const length = headers['content-length']
      const announced = length === undefined ? undefined : Number(length)
      const limit = { bytes, ms: deps.limits.wholeBodyMs, refusal: BodyTooLargeError }
      const turns = new Turns({ party: exchange.party, signal: getSignal() })
      return readToParse(limitBody(body, announced, limit), announced, turns)
    },
  }
}

function toReply({ status, headers, body }: ApiReply): Reply {
  if (body === undefined) return { status, headers, length: status === 204 || status === 304 ? undefined : 0 }
  if (body instanceof Uint8Array) return { status, headers, length: body.length, body }
  return { status, headers, length: undefined, body: toStreamBody(body) }
}

function toStreamBody(pieces: AsyncIterable<Uint8Array>): StreamBody {
  return {
    async copyTo(sink: ByteSink) {
      for await (const piece of pieces) await sink.write(piece)
    },
    async [Symbol.asyncDispose]() {
      // Closes the iterator, so that no further pieces are made.
      await pieces[Symbol.asyncIterator]().return?.()
    },
  }
}
