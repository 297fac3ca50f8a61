/** Lines of the log about requests: reads at debug, writes at info, faults at warn, each with the request id. */
import type { IncomingMessage } from 'node:http'
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

/** One line for each answered request. */
export function logRequest(exchange: Exchange, status: number, { log }: { log: Log }): void {
  const { method } = exchange.incoming
  const level = method === 'GET' || method === 'HEAD' ? 'debug' : 'info'
  if (status < 500 && !log.isLevelEnabled(level)) return
  const fields = {
    ...describeExchange(exchange),
    status,
    ms: Math.round(performance.now() - exchange.startedAt),
  }
  if (status >= 500) log.warn(fields, 'request failed')
  else log[level](fields, 'request')
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
