/** What the HTTP layer hands to the management API and gets back: the border between `http/` and `api/`. */
import type { Admission } from '../identity/sessions/csrf.ts'
import type { Principal } from '../identity/principal.ts'
import type { Origin } from '../identity/identity.ts'
import { OciError } from '../oci/oci-error.ts'

/** The body stopped arriving, or came too slowly: 408 (RFC 9110, 15.5.9). */
export class BodyTimeoutError extends OciError {
  override readonly name = 'BodyTimeoutError'
  readonly code = 'SIZE_INVALID'
  readonly detail: undefined
}

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
  /** When the page that sent this may change something, although it is of another origin. */
  readonly admission: Admission
  /** Aborted when the connection closes before the reply is complete. */
  readonly signal: AbortSignal
  /** Reads the body to its end; throws when it is larger than `maxBytes` or the client leaves, and `BodyTimeoutError`. */
  readonly readBody: (maxBytes: number) => Promise<Uint8Array>
  /** Tells the log who sends the request. */
  readonly identify: (principal: Principal) => void
  /** Resolves when there is room in memory for a reply of so many bytes, within the share of the principal; throws when the client leaves meanwhile. */
  readonly reserve: (bytes: number, principal: Principal) => Promise<void>
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
