/** What the HTTP layer hands to the management API and gets back: the border between `http/` and `api/`. */
import type { Admitted, Refused } from '../edge/gate.ts'
import type { Asked } from '../edge/need.ts'
import type { Origin } from '../identity/identity.ts'

export interface ApiRequest {
  /** In the log and in the reply. */
  readonly id: string
  readonly method: string
  /** As it came: not decoded, not normalised, without the query. */
  readonly path: string
  readonly rawQuery: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly origin: Origin
  /** Of this registry as the client sees it, without a slash at the end. */
  readonly registryUrl: string
  /** Finds out who asks and decides whether the row may be served; once, before its handler runs. */
  readonly admit: (asked: Asked) => Promise<Admitted | Refused>
  /** Aborted when the connection closes before the reply is complete. */
  readonly signal: AbortSignal
  /** Reads the body to its end; throws when it is larger than `maxBytes`, stalls or takes too long, or when the client leaves. */
  readonly readBody: (maxBytes: number) => Promise<Uint8Array>
  /** Resolves when there is room in memory for a reply of so many bytes, within the share of the caller; throws when the client leaves meanwhile. */
  readonly reserve: (bytes: number) => Promise<void>
}

export interface ApiReply {
  readonly status: number
  /** Name, value, name, value, ... */
  readonly headers: readonly string[]
  /** A list that may be long comes in pieces; to HEAD none of them is taken. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | undefined
  /** Of the endpoint, for metrics; `undefined` when there is none. */
  readonly endpoint: { readonly id: string; readonly path: string } | undefined
  /** Why the request was refused, for the log. */
  readonly reason?: string | undefined
  /** What a reply of 500 and above hides. */
  readonly fault: ApiFault | undefined
}

export interface ApiFault {
  readonly error: unknown
  /** A database that does not answer, not a mistake of ours. */
  readonly expected: boolean
}

export interface ManagementApi {
  /** Answers whatever goes wrong in it; rejects only when reading the body failed because the client left. */
  answer(request: ApiRequest): Promise<ApiReply>
  /** For what was refused before the API saw it. */
  refuse(error: unknown, request: ApiRequest): ApiReply
}
