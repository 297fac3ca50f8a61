/**
 * From a request for `/metrics` to its reply, behind a token where one is set. What is measured and in which format is
 * none of this folder's business.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { HeaderList, Reply } from '../replies/reply.ts'

export interface MetricsSource {
  readonly contentType: string
  render(): Promise<string>
}

/** Nothing of it streams. */
export interface WholeReply extends Reply {
  readonly body: Uint8Array
}

/** From the `Authorization` header of a GET to its reply. */
export type MetricsEndpoint = (authorization: string | undefined) => Promise<WholeReply>

/** Without a token everyone may read. */
export function createMetricsEndpoint(source: MetricsSource, token: string | undefined): MetricsEndpoint {
  const expected = token === undefined ? undefined : digestOf(`Bearer ${token}`)
  return async (authorization = '') => {
    // Digests have one length, so that the comparison takes the same time whatever was sent.
    if (expected !== undefined && !timingSafeEqual(digestOf(normalize(authorization)), expected)) {
      return refuse(401, 'the metrics are served to those who send metrics.token as bearer token', [
        'WWW-Authenticate',
        'Bearer realm="metrics"',
      ])
    }
    return reply(
      200,
      ['Content-Type', source.contentType, 'Cache-Control', 'no-store'],
      await source.render(),
    )
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** The scheme is written in any case (RFC 9110, 11.1). */
function normalize(authorization: string): string {
  return authorization.replace(/^bearer +/i, 'Bearer ')
}

export function refuse(status: number, message: string, headers: HeaderList = []): WholeReply {
  const code = status === 401 ? 'UNAUTHORIZED' : 'UNSUPPORTED'
  const body = JSON.stringify({ errors: [{ code, message, detail: {} }] })
  return reply(status, ['Content-Type', 'application/json', ...headers], body)
}

function reply(status: number, headers: HeaderList, text: string): WholeReply {
  const body = Buffer.from(text)
  return { status, headers, length: body.length, body }
}
