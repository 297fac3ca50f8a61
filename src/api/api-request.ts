/** The requests that the HTTP layer passes to the management API, and its replies: the border between `http/` and `api/`. */
import type { Admitted, Refused } from '../edge/gate.ts'
import type { Asked } from '../edge/need.ts'
import type { Origin } from '../identity/identity.ts'

export interface ApiRequest {
  /** The request id in the log and in the reply. */
  readonly id: string
  readonly method: string
  /** The path as received: not decoded, not normalised, without the query. */
  readonly path: string
  readonly rawQuery: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly origin: Origin
  /** The URL of this registry as the client sees it, without a trailing slash. */
  readonly registryUrl: string
  /** Authenticates the caller and decides whether the row may be served; called once, before its handler runs. */
  readonly admit: (asked: Asked) => Promise<Admitted | Refused>
  /** Aborted when the connection closes before the reply is complete. */
  readonly signal: AbortSignal
  /** Reads the whole body. Throws if it is larger than `maxBytes`, stalls or takes too long, or if the client disconnects. */
  readonly readBody: (maxBytes: number) => Promise<Uint8Array>
  /**
   * Resolves when memory has room for a reply of this many bytes, within the caller's share. Throws if the client disconnects
   * while waiting.
   */
  readonly reserve: (bytes: number) => Promise<void>
}

export interface ApiReply {
  readonly status: number
  /** Alternating names and values. */
  readonly headers: readonly string[]
  /** A list that may be long is an iterable of pieces, which is not read for HEAD. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | undefined
  /** The endpoint, for metrics; `undefined` if no endpoint matches the request. */
  readonly endpoint: { readonly id: string; readonly path: string } | undefined
  /** Why the request was refused, for the log. */
  readonly reason?: string | undefined
  /** The error behind a reply with status 500 or above, which the reply does not reveal. */
  readonly fault: ApiFault | undefined
}

export interface ApiFault {
  readonly error: unknown
  /** Whether the cause is outside the program, such as a database that does not answer, rather than a bug. */
  readonly expected: boolean
}

export interface ManagementApi {
  /** Answers every error with a problem; rejects only if the client disconnects while its body is read. */
  answer(request: ApiRequest): Promise<ApiReply>
  /** Returns the reply to a request that was refused before the API received it. */
  refuse(error: unknown, request: ApiRequest): ApiReply
}
