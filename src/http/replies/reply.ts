/** The reply of a handler as data, which `send-reply.ts` writes to the connection. */
import type { ByteSink } from '../../registry/blobs.ts'

/** Name, value, name, value, ...: the form that `node:http` writes without rebuilding it. */
export type HeaderList = readonly string[]

/** A body that is copied piece by piece. `send-reply.ts` disposes it, even if it was not sent. */
export interface StreamBody extends AsyncDisposable {
  copyTo(sink: ByteSink, signal: AbortSignal): Promise<void>
}

export interface Reply {
  readonly status: number
  readonly headers: HeaderList
  /**
   * The length of the body, or for HEAD of the body that GET would have. `undefined` if it is unknown, and for 204 and
   * 304, which have no body.
   */
  readonly length: number | undefined
  /** Replaces the standard reason phrase: the only text that clients can show if a reply has no body. */
  readonly reason?: string | undefined
  readonly body?: Uint8Array | StreamBody
}

export function bytesReply(status: number, headers: HeaderList, bytes: Uint8Array): Reply {
  return { status, headers, length: bytes.length, body: bytes }
}

export const jsonType = 'application/json'

/**
 * Answers HEAD without a length, for content that would have to be made to know its length (RFC 9110, 9.3.2 allows
 * this).
 */
export function headReply(headers: HeaderList): Reply {
  return { status: 200, headers, length: undefined }
}

export function jsonReply(status: number, value: unknown, headers: HeaderList = []): Reply {
  return bytesReply(status, ['Content-Type', jsonType, ...headers], Buffer.from(JSON.stringify(value)))
}

/** Returns a 201 or 202 with a length of zero. */
export function emptyReply(status: number, headers: HeaderList): Reply {
  return { status, headers, length: 0 }
}

/** Returns a 204 or 304, which have no Content-Length (RFC 9110, 8.6). */
export function bodilessReply(status: 204 | 304, headers: HeaderList): Reply {
  return { status, headers, length: undefined }
}
