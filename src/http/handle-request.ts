/**
 * @module The path of a request: head, router, grammar of the name, authentication, policy, handler, reply. Errors are caught
 * only here: a refusal becomes a reply, a client that has disconnected gets none, and any other error is logged with its stack
 * and answered with 500 and the request id.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ManagementApi } from '../api/api-request.ts'
import type { Gate } from '../edge/gate.ts'
import type { YoungGarbage } from '../lib/memory/young-garbage.ts'
import { parseRepositoryName } from '../oci/repository-name.ts'
import { admit, decideAfterWait } from './admit.ts'
import { auditRefusal, isChallenge } from './audit-refusal.ts'
import { BodyReader } from './requests/body-reader.ts'
import { challengesOf } from './replies/challenges.ts'
import { checkHead } from './requests/check-head.ts'
import { findRefusal } from '../edge/refusal.ts'
import { errorReply } from './replies/error-reply.ts'
import type { ErrorContext } from './replies/error-reply.ts'
import {
  ClientGoneError,
  FormTooLargeError,
  ManifestTooLargeError,
  MethodUnsupportedError,
  RouteUnknownError,
} from './errors.ts'
import type { Cors } from './replies/cors.ts'
import { Exchange } from './exchange.ts'
import type { HandlerDeps } from './handlers/handler-deps.ts'
import type { HttpLimits } from './limits.ts'
import { logFault, logRequest, logUnanswered, pathOf } from './log-request.ts'
import type { Log } from './log.ts'
import { answerByApi, isForApi } from './management.ts'
import type { HttpObserver } from './observer.ts'
import { RequestOrigin } from './requests/origin.ts'
import type { PublicAddress } from './requests/origin.ts'
import { parseQuery } from './requests/query.ts'
import type { Readers } from './connections/readers.ts'
import { bodilessReply } from './replies/reply.ts'
import type { Reply } from './replies/reply.ts'
import { IncomingRequest } from './requests/request.ts'
import type { BodyLimit } from './requests/request.ts'
import type { Match, Router } from './router.ts'
import type { Route } from './route.ts'
import { sendReply } from './replies/send-reply.ts'
import { offlineParameter, tokenRouteId } from './token-route.ts'

export interface RequestDeps extends HandlerDeps {
  readonly router: Router
  readonly gate: Gate
  /** Answers requests below `/api/`; if absent, they get 404. */
  readonly api?: ManagementApi | undefined
  /** Counts the short-lived memory of request body pieces. */
  readonly garbage: YoungGarbage
  readonly publicAddress: PublicAddress
  readonly cors: Cors
  readonly log: Log
  readonly observer?: HttpObserver | undefined
  readonly readers: Readers
  /** Whether the server is draining: each connection then ends after its current request. */
  readonly isClosing: () => boolean
}

interface HandledRequest {
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  readonly expectsContinue: boolean
}

/** The parts of a row that the observer receives. */
type ObservedRoute = Pick<Route, 'id' | 'path'>

/** Never rejects. */
export function handleRequest(handled: HandledRequest, deps: RequestDeps): Promise<void> {
  const { observer } = deps
  const exchange = openExchange(handled, deps)
  if (observer?.runRequest === undefined) return serveExchange(exchange, deps)
  const { method = '', headers } = handled.incoming
  const traceparent = headers['traceparent']
  const begun = {
    id: exchange.id,
    method,
    traceparent: typeof traceparent === 'string' ? traceparent : undefined,
  }
  return observer.runRequest(begun, () => serveExchange(exchange, deps))
}

async function serveExchange(exchange: Exchange, deps: RequestDeps): Promise<void> {
  const { incoming } = exchange
  let route: ObservedRoute | undefined
  let status: number | undefined
  try {
    const match = deps.router(incoming.method ?? '', incoming.url ?? '')
    route = match?.route
    const answered = await answerRequest(exchange, match, deps)
    route = answered.route
    if (deps.isClosing()) exchange.response.shouldKeepAlive = false
    status = await sendAnswer(exchange, answered, deps)
    logRequest(exchange, { status, path: route?.path }, deps)
  } catch (error) {
    // The reply cannot be completed, and no other can be sent.
    if (!exchange.response.writableEnded) exchange.response.destroy()
    logUnanswered(exchange, error, deps)
  } finally {
    deps.readers.release(exchange)
  }
  deps.observer?.onRequest({
    route: route?.id,
    path: route?.path,
    method: incoming.method ?? '',
    status,
    durationMs: performance.now() - exchange.startedAt,
    bytesIn: exchange.body.bytes,
    bytesOut: exchange.bytesOut,
  })
}

interface Answered {
  readonly reply: Reply
  readonly route: ObservedRoute | undefined
  readonly match?: Match | undefined
  /** Builds the management API's reply to an error that kept `reply` from being sent. */
  readonly explain?: (error: unknown) => Reply
}

/** Sends the reply and returns its status. If it fails before its head is sent, an error reply takes its place. */
async function sendAnswer(exchange: Exchange, answered: Answered, deps: RequestDeps): Promise<number> {
  const { reply, match, explain } = answered
  try {
    await sendReply(exchange, reply, deps.limits)
    return reply.status
  } catch (error) {
    const { response } = exchange
    if (error instanceof ClientGoneError || response.headersSent || response.destroyed) throw error
    const explained = explain?.(error) ?? explainError(exchange, match, { error, deps })
    await sendReply(exchange, explained, deps.limits)
    return explained.status
  }
}

async function answerRequest(
  exchange: Exchange,
  match: Match | undefined,
  deps: RequestDeps,
): Promise<Answered> {
  const { api } = deps
  const { method = '', headers } = exchange.incoming
  const preflight = deps.cors.preflightHeaders(method, headers)
  if (preflight !== undefined) return { reply: bodilessReply(204, preflight), route: undefined }
  // The router matches neither / nor paths below /api, so this check costs other requests nothing.
  if (match === undefined && api !== undefined && isForApi(exchange.incoming)) {
    return answerByApi(exchange, api, deps)
  }
  return { reply: await answer(exchange, match, deps), route: match?.route, match }
}

function openExchange(handled: HandledRequest, deps: RequestDeps): Exchange {
  const { incoming, response, expectsContinue } = handled
  const body = new BodyReader(incoming, {
    idleMs: deps.limits.bodyIdleMs,
    onBytes: (bytes) => deps.garbage.note(bytes),
    onStall() {
      // RFC 9110, 15.5.9: the reply is 408, and the connection closes after it.
      response.shouldKeepAlive = false
      deps.observer?.onConnectionClosed?.('body-idle')
    },
    onStart: expectsContinue ? () => response.writeContinue() : undefined,
  })
  const id = deps.ids.requestId()
  return new Exchange({
    incoming,
    response,
    expectsContinue,
    id,
    body,
    origin: new RequestOrigin(incoming, deps.publicAddress, id),
    readers: deps.readers,
    cors: deps.cors,
  })
}

async function answer(exchange: Exchange, match: Match | undefined, deps: RequestDeps): Promise<Reply> {
  try {
    return await runHandler(exchange, match, deps)
  } catch (error) {
    if (error instanceof ClientGoneError || exchange.response.destroyed) throw new ClientGoneError()
    return explainError(exchange, match, { error, deps })
  }
}

function explainError(
  exchange: Exchange,
  match: Match | undefined,
  { error, deps }: { error: unknown; deps: RequestDeps },
): Reply {
  const refusal = findRefusal(error)
  const reply = errorReply(refusal, describeContext(exchange, match))
  const { status } = reply
  if (refusal !== undefined) {
    const challenges = status === 401 && isChallenge(exchange, match)
    exchange.refusal = { reason: refusal.message, isChallenge: challenges }
  }
  if (status === 401 || status === 403) auditRefusal(exchange, { match, status }, deps.audit)
  if (status >= 500) logFault(exchange, error, { log: deps.log, expected: refusal !== undefined })
  return reply
}

function describeContext({ id, origin, incoming }: Exchange, match: Match | undefined): ErrorContext {
  const route = match?.route
  return {
    requestId: id,
    method: incoming.method ?? '',
    allow: match?.allow ?? '',
    path: match?.path ?? '',
    challenges: (reason) => challengesOf({ match, registryUrl: origin.registryUrl, reason }),
    oauth: route?.id === tokenRouteId && route.method === 'POST',
  }
}

async function runHandler(exchange: Exchange, match: Match | undefined, deps: RequestDeps): Promise<Reply> {
  const { incoming } = exchange
  checkHead(incoming, deps.limits)
  if (match === undefined) throw new RouteUnknownError(pathOf(incoming))
  const { route, name, allow } = match
  if (route === undefined) throw new MethodUnsupportedError(incoming.method ?? '', allow)
  const repository = name === undefined ? undefined : parseRepositoryName(name)
  const method = makesRefreshToken(match) ? 'POST' : (incoming.method ?? '')
  const asked = { surface: 'registry', method, need: route.action, target: { repository } } as const
  const admission = await admit(exchange, asked, deps)
  if (!admission.isAdmitted) throw admission.refusal
  // A body may arrive hours after its head.
  if (exchange.body.expected) exchange.body.checkAtEnd(() => decideAfterWait(exchange))
  const bodyLimit = limitOfBody[route.body](deps.limits)
  return route.handler(new IncomingRequest(exchange, match, { ...admission, bodyLimit }), deps)
}

/**
 * Whether the request creates a refresh token. Docker does that with a GET to the token endpoint, which any page can
 * make a browser send.
 */
function makesRefreshToken({ route, rawQuery }: Match): boolean {
  return route?.id === tokenRouteId && parseQuery(rawQuery).get(offlineParameter) === 'true'
}

/** The limit of each kind of body. Uploads have none; a new kind without an entry does not compile. */
const limitOfBody: Readonly<Record<Route['body'], (limits: HttpLimits) => BodyLimit | undefined>> = {
  none: () => undefined,
  stream: () => undefined,
  manifest: ({ manifestBytes: bytes, wholeBodyMs: ms }) => ({ bytes, ms, refusal: ManifestTooLargeError }),
  form: ({ formBytes: bytes, wholeBodyMs: ms }) => ({ bytes, ms, refusal: FormTooLargeError }),
}
