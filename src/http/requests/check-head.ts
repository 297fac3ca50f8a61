/** Checks the head of a request before its caller is authenticated. */
import type { IncomingMessage } from 'node:http'
import { quote } from '../../oci/quote.ts'
import { ExpectationUnknownError, RequestMalformedError, UrlTooLongError } from '../errors.ts'
import type { HttpLimits } from '../limits.ts'
import { isHost } from './origin.ts'

/** The expression that Node itself uses. */
const continueExpression = /(?:^|\W)100-continue(?:$|\W)/i

/** Throws `RequestMalformedError`, `ExpectationUnknownError`, `UrlTooLongError`. */
export function checkHead(incoming: IncomingMessage, { urlBytes }: HttpLimits): void {
  // The parser accepts a request line of HTTP/2.0 and then parses the rest as 1.1.
  if (incoming.httpVersionMajor > 1) {
    throw new RequestMalformedError(`HTTP/${incoming.httpVersion} is not supported: use HTTP/1.1`)
  }
  checkHost(incoming)
  const { expect } = incoming.headers
  if (expect !== undefined && incoming.httpVersion === '1.1' && !continueExpression.test(expect)) {
    throw new ExpectationUnknownError(expect)
  }
  if ((incoming.url?.length ?? 0) > urlBytes) throw new UrlTooLongError(urlBytes)
}

function checkHost(incoming: IncomingMessage): void {
  if (hasTwoHosts(incoming)) {
    throw new RequestMalformedError('the request has several Host headers: send one')
  }
  const { host } = incoming.headers
  if (host === undefined && incoming.httpVersion === '1.1') {
    throw new RequestMalformedError('the HTTP/1.1 request has no Host header: send one')
  }
  if (host !== undefined && !isHost(host)) {
    throw new RequestMalformedError(
      `Host ${quote(host)} is invalid: send a name or address with an optional port`,
    )
  }
}

/**
 * Whether there are several `Host` headers (RFC 9112, 3.2). Node keeps the first and hides the others, but a proxy
 * before us may have read another.
 */
function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  return hosts > 1
}
