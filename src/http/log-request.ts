/**
 * Writes the log lines about requests, each with the request id: reads and the steps of a push at debug, refusals and
 * changes at info, failures at warn or error. The handler of manifests writes one line for each push.
 */
import type { IncomingMessage } from 'node:http'
import type { Principal } from '../identity/principal.ts'
import { OciError } from '../oci/oci-error.ts'
import { ClientGoneError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import type { Log } from './log.ts'

/** Returns the path without the query, which may contain private data. */
export function pathOf(incoming: IncomingMessage): string {
  const target = incoming.url ?? ''
  const mark = target.indexOf('?')
  return mark === -1 ? target : target.slice(0, mark)
}

function describeExchange({ id, incoming }: Exchange): Record<string, unknown> {
  return { requestId: id, method: incoming.method, path: pathOf(incoming) }
}

/** Writes one line for each answered request. `path` is the path of its route. */
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

/**
 * Returns the name of the caller for the log; `undefined` for invalid credentials, whose name may be a mistyped
 * password.
 */
export function nameOf(principal: Principal | undefined): string | undefined {
  return principal?.kind === 'anonymous' ? 'anonymous' : principal?.name
}

/**
 * Whether the registry refused an action. Reads of missing content, and challenges that the client answers with
 * credentials, are part of every push and pull and do not count.
 */
function isRefusedRequest({ incoming, refusal }: Exchange, status: number): boolean {
  if (status < 400 || status >= 500) return false
  if (status === 401) return refusal?.isChallenge !== true
  return status === 403 || status === 429 || !isRead(incoming.method)
}

/**
 * Whether the request makes a change that is logged at info. The steps of a push and of a login do not count: the
 * manifest has its own line, and the audit records logins.
 */
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
  else log.error(fields, 'a request failed with an internal error')
}

/**
 * Logs a request that ended without a complete reply: the client disconnected, it lost its credential or right during the
 * request, or the bytes of the reply could not be read to the end.
 */
export function logUnanswered(exchange: Exchange, error: unknown, { log }: { log: Log }): void {
  if (error instanceof ClientGoneError) log.debug(describeExchange(exchange), 'the client left')
  else if (isRefusal(error)) log.warn({ ...describeExchange(exchange), err: error }, 'a reply was cut off')
  else log.error({ ...describeExchange(exchange), err: error }, 'a reply failed midway')
}

function isRefusal(error: unknown): boolean {
  return error instanceof OciError && (error.code === 'UNAUTHORIZED' || error.code === 'DENIED')
}
