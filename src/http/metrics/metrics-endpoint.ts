/**
 * Answers requests for `/metrics`, behind a token if one is set. This folder knows neither the metrics nor their
 * format.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { HeaderList, Reply } from '../replies/reply.ts'

export interface MetricsSource {
  readonly contentType: string
  render(): Promise<string>
}

/** A reply whose whole body is in memory. */
export interface WholeReply extends Reply {
  readonly body: Uint8Array
}

/** Returns the reply to a GET with this `Authorization` header. */
export type MetricsEndpoint = (authorization: string | undefined) => Promise<WholeReply>

/** Creates the endpoint. Without a token, everyone may read the metrics. */
export function createMetricsEndpoint(source: MetricsSource, token: string | undefined): MetricsEndpoint {
  const expected = token === undefined ? undefined : digestOf(`Bearer ${token}`)
  return async (authorization = '') => {
    // Digests all have the same length, so the comparison takes the same time for any input.
    if (expected !== undefined && !timingSafeEqual(digestOf(normalize(authorization)), expected)) {
      return refuse(401, 'reading the metrics requires a token: send metrics.token as a bearer token', [
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

/** Normalizes the scheme, which is case-insensitive (RFC 9110, 11.1). */
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
