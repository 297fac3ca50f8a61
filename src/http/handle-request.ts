/**
 * @module
 * The way of a request: router, grammar of the name, authentication, policy, handler, reply. The only place that
 * catches errors: refusals become replies, a client that left gets none, everything else is logged with its stack and
 * answered with 500 and the request id.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Authenticate } from '../auth/authenticate.ts'
import type { Policy } from '../auth/policy.ts'
import type { Principal } from '../auth/principal.ts'
import type { Clock } from '../lib/clock.ts'
import type { YoungGarbage } from '../lib/young-garbage.ts'
import { parseRepositoryName } from '../oci/repository-name.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import { BodyReader } from './body-reader.ts'
import { errorReply, findRefusal } from './error-reply.ts'
import {
  ClientGoneError,
  DeniedError,
  MethodUnsupportedError,
  RequestMalformedError,
  RouteUnknownError,
  UnauthorizedError,
} from './errors.ts'
import type { Exchange } from './exchange.ts'
import type { HandlerDeps } from './handlers/handler-deps.ts'
import type { Log } from './log.ts'
import type { Reply } from './reply.ts'
import { IncomingRequest } from './request.ts'
import type { Match, Router } from './router.ts'
import type { Route } from './routes.ts'
import { sendReply } from './send-reply.ts'

export interface RequestDeps extends HandlerDeps {
  readonly router: Router
  /** Of the pieces that request bodies come in. */
  readonly garbage: YoungGarbage
  readonly authenticate: Authenticate
  readonly clock: Clock
  readonly log: Log
  /** While draining, a connection ends with the request it is busy with. */
  readonly isClosing: () => boolean
}

interface HandledRequest {
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  readonly expectsContinue: boolean
}

/** Never rejects. */
export async function handleRequest(handled: HandledRequest, deps: RequestDeps): Promise<void> {
  const { incoming, response, expectsContinue } = handled
  const body = new BodyReader(incoming, {
    idleMs: deps.limits.bodyIdleMs,
    onBytes: (bytes) => deps.garbage.note(bytes),
    onStart: expectsContinue ? () => response.writeContinue() : undefined,
  })
  const exchange: Exchange = { ...handled, id: deps.ids.requestId(), body, startedAt: deps.clock.now() }
  const match = deps.router(incoming.method ?? '', incoming.url ?? '')
  try {
    const reply = await answer(exchange, match, deps)
    if (deps.isClosing()) response.shouldKeepAlive = false
    await sendReply(exchange, reply, deps.limits)
    logRequest(exchange, reply.status, deps)
  } catch (error) {
    logUnanswered(exchange, error, deps)
  }
}

async function answer(exchange: Exchange, match: Match | undefined, deps: RequestDeps): Promise<Reply> {
  try {
    return await runHandler(exchange, match, deps)
  } catch (error) {
    if (error instanceof ClientGoneError || exchange.response.destroyed) throw new ClientGoneError()
    const refusal = findRefusal(error)
    const context = { requestId: exchange.id, allow: match?.allow ?? '', path: match?.path ?? '' }
    const reply = errorReply(refusal, context)
    if (reply.status >= 500) logFault(exchange, error, { log: deps.log, expected: refusal !== undefined })
    return reply
  }
}

async function runHandler(exchange: Exchange, match: Match | undefined, deps: RequestDeps): Promise<Reply> {
  const { incoming } = exchange
  const method = incoming.method ?? ''
  if (hasTwoHosts(incoming))
    throw new RequestMalformedError('a request has one Host header, this one has several')
  if (match === undefined) throw new RouteUnknownError(pathOf(incoming))
  const { route, name, allow } = match
  if (route === undefined) throw new MethodUnsupportedError(method, allow)
  const repository = name === undefined ? undefined : parseRepositoryName(name)
  const principal = await deps.authenticate(incoming.headers)
  if (repository !== undefined) await checkRights(principal, route, { repository, policy: deps.policy })
  const maxBodyBytes = route.body === 'manifest' ? deps.limits.manifestBytes : undefined
  return route.handler(new IncomingRequest(exchange, match, { principal, repository, maxBodyBytes }), deps)
}

/** RFC 9112, 3.2. Node keeps the first and hides the rest, but a proxy before us may have looked at another. */
function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  return hosts > 1
}

/** Throws `UnauthorizedError` where other credentials may help, `DeniedError` where none do. */
async function checkRights(
  principal: Principal,
  { action }: Route,
  { repository, policy }: { repository: RepositoryName; policy: Policy },
): Promise<void> {
  if (action === 'none' || action === 'catalog') return
  const decision = await policy.decide(principal, action, repository)
  if (decision.allowed) return
  if (decision.refusal === 'denied') throw new DeniedError(decision.reason)
  throw new UnauthorizedError(decision.reason, decision.challenges)
}

/** Without the query, which may hold what is nobody's business. */
function pathOf(incoming: IncomingMessage): string {
  const target = incoming.url ?? ''
  const mark = target.indexOf('?')
  return mark === -1 ? target : target.slice(0, mark)
}

function describeExchange({ id, incoming }: Exchange): Record<string, unknown> {
  return { requestId: id, method: incoming.method, path: pathOf(incoming) }
}

/** Reads at debug, writes at info, faults at warn: one line each. */
function logRequest(exchange: Exchange, status: number, { log, clock }: RequestDeps): void {
  const fields = { ...describeExchange(exchange), status, ms: clock.now() - exchange.startedAt }
  const { method } = exchange.incoming
  if (status >= 500) log.warn(fields, 'request failed')
  else if (method === 'GET' || method === 'HEAD') log.debug(fields, 'request')
  else log.info(fields, 'request')
}

function logFault(
  exchange: Exchange,
  error: unknown,
  { log, expected }: { log: Log; expected: boolean },
): void {
  const fields = { ...describeExchange(exchange), err: error }
  if (expected) log.warn(fields, 'a request could not be served')
  else log.error(fields, 'a request met a fault')
}

/** Failed without a complete reply: the client left, or the bytes of a reply could not be read to the end. */
function logUnanswered(exchange: Exchange, error: unknown, { log }: RequestDeps): void {
  if (error instanceof ClientGoneError) log.debug(describeExchange(exchange), 'the client left')
  else log.error({ ...describeExchange(exchange), err: error }, 'a reply broke off')
}
