/** What a handler answers: data, written to the connection by `send-reply.ts`. */
import type { ByteSink } from '../../registry/blobs.ts'

/** Name, value, name, value, ...: the form that `node:http` writes without rebuilding it. */
export type HeaderList = readonly string[]

/** A body that is copied piece by piece; disposed by whoever sends the reply, sent or not. */
export interface StreamBody extends AsyncDisposable {
  copyTo(sink: ByteSink, signal: AbortSignal): Promise<void>
}

export interface Reply {
  readonly status: number
  readonly headers: HeaderList
  /** Of the body, or for HEAD of the body that GET would have; `undefined` with 204 and 304, which have none. */
  readonly length: number | undefined
  /** In place of the standard words of the status line: what clients can show where a reply has no body. */
  readonly reason?: string | undefined
  readonly body?: Uint8Array | StreamBody
}

export function bytesReply(status: number, headers: HeaderList, bytes: Uint8Array): Reply {
  return { status, headers, length: bytes.length, body: bytes }
}

export const jsonType = 'application/json'

/** To HEAD of something that would have to be made to know its length, which may be left out (RFC 9110, 9.3.2). */
export function headReply(headers: HeaderList): Reply {
  return { status: 200, headers, length: undefined }
}

export function jsonReply(status: number, value: unknown, headers: HeaderList = []): Reply {
  return bytesReply(status, ['Content-Type', jsonType, ...headers], Buffer.from(JSON.stringify(value)))
}

/** 201 and 202 with a length of zero. */
export function emptyReply(status: number, headers: HeaderList): Reply {
  return { status, headers, length: 0 }
}

/** 204 and 304 (RFC 9110, 8.6: no Content-Length there). */
export function bodilessReply(status: 204 | 304, headers: HeaderList): Reply {
  return { status, headers, length: undefined }
}
