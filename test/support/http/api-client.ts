/** @module A client of the management API for tests: JSON in, status and JSON out. */
import { ask } from './client.ts'
import type { Answer } from './client.ts'
import { basic } from '../parts/identity-server.ts'

export interface ApiAsk {
  readonly method?: string
  /** A user, who logs in with the password of `passwordOf`; absent: anonymous. */
  readonly as?: string | undefined
  readonly json?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface ApiAnswer extends Answer {
  readonly value: Record<string, unknown>
}

/** Sends one request; `path` is relative to `/api/v1`. */
export async function askApi(
  url: string,
  path: string,
  { method, as, json, headers = {} }: ApiAsk = {},
): Promise<ApiAnswer> {
  const answer = await ask(`${url}/api/v1${path}`, {
    method: method ?? (json === undefined ? 'GET' : 'POST'),
    headers: {
      ...(as !== undefined && { authorization: basic(as) }),
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(json !== undefined && { body: JSON.stringify(json) }),
  })
  return { ...answer, value: parseBody(answer) }
}

function parseBody({ headers, body }: Answer): Record<string, unknown> {
  const isJson = /^application\/(?:problem\+)?json$/.test(headers['content-type'] ?? '')
  return isJson && body.length > 0 ? (JSON.parse(body.toString()) as Record<string, unknown>) : {}
}
