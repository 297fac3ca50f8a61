/**
 * Lines of the log about requests, each with the request id: reads and the steps of a push at debug, refusals and changes at
 * info, faults at warn. A push has one line of its own, from the handler of manifests.
 */
import type { IncomingMessage } from 'node:http'
import type { Principal } from '../identity/principal.ts'
import { OciError } from '../oci/oci-error.ts'
import { ClientGoneError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import type { Log } from './log.ts'

/** Without the query, which may hold what is nobody's business. */
export function pathOf(incoming: IncomingMessage): string {
  const target = incoming.url ?? ''
  const mark = target.indexOf('?')
  return mark === -1 ? target : target.slice(0, mark)
}

function describeExchange({ id, incoming }: Exchange): Record<string, unknown> {
  return { requestId: id, method: incoming.method, path: pathOf(incoming) }
}

/** One line for each answered request. `path` is the path of its route. */
export function logRequest(
  exchange: Exchange,
  { status, path }: { readonly status: number; readonly path: string | undefined },
  { log }: { log: Log },
): void {
  const isRefused = isRefusedRequest(exchange, status)
  const level = isRefused || (status < 400 && isChange(exchange.incoming.method, path)) ? 'info' : 'debug'
  if (status < 500 && !log.isLevelEnabled(level)) return
  const fields = {
    ...describeExchange(exchange),
    status,
    user: nameOf(exchange.principal),
    address: exchange.origin.address,
    ms: Math.round(performance.now() - exchange.startedAt),
  }
  if (status >= 500) log.warn(fields, 'request failed')
  else if (isRefused) log.info({ ...fields, reason: exchange.refusal?.reason }, 'request refused')
  else log[level](fields, 'request')
}

/** The caller as the log names it; `undefined` for credentials that are not valid, whose name may be a mistyped password. */
export function nameOf(principal: Principal | undefined): string | undefined {
  return principal?.kind === 'anonymous' ? 'anonymous' : principal?.name
}

/**
 * Whether the registry refused to do something. Content that a read does not find, and a challenge that the client answers by
 * sending credentials, are part of every push and pull.
 */
function isRefusedRequest({ incoming, refusal }: Exchange, status: number): boolean {
  if (status < 400 || status >= 500) return false
  if (status === 401) return refusal?.isChallenge !== true
  return status === 403 || status === 429 || !isRead(incoming.method)
}

/** The steps of a push and of a login are no changes: the manifest has a line of its own, and the audit has the login. */
function isChange(method: string | undefined, path: string | undefined): boolean {
  if (isRead(method) || path === undefined) return false
  return path.startsWith('/api/') || (method === 'DELETE' && path.includes('/manifests/'))
}

function isRead(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD'
}

export function logFault(
  exchange: Exchange,
  error: unknown,
  { log, expected }: { log: Log; expected: boolean },
): void {
  const fields = { ...describeExchange(exchange), err: error }
  if (expected) log.warn(fields, 'a request could not be served')
  else log.error(fields, 'a request met a fault')
}

/**
 * Failed without a complete reply: the client left, it lost its credential or its right meanwhile, or the bytes of a reply
 * could not be read to the end.
 */
export function logUnanswered(exchange: Exchange, error: unknown, { log }: { log: Log }): void {
  if (error instanceof ClientGoneError) log.debug(describeExchange(exchange), 'the client left')
  else if (isRefusal(error)) log.warn({ ...describeExchange(exchange), err: error }, 'a reply was cut off')
  else log.error({ ...describeExchange(exchange), err: error }, 'a reply broke off')
}

function isRefusal(error: unknown): boolean {
  return error instanceof OciError && (error.code === 'UNAUTHORIZED' || error.code === 'DENIED')
}
