/** A request that has ended, as metrics see it. */
export interface RequestSeen {
  /** The `id` of the row in the route table; `undefined` if none matched. */
  readonly route: string | undefined
  /** The path of that row with its placeholders, without anything that the client sent. */
  readonly path: string | undefined
  readonly method: string
  /** The status of the reply; `undefined` if the client disconnected before there was one. */
  readonly status: number | undefined
  /** The time from the parsed head to the last byte passed to the connection. */
  readonly durationMs: number
  /** The bytes of the bodies only. */
  readonly bytesIn: number
  readonly bytesOut: number
}

export interface RequestBegun {
  /** The request id, as in the log and in the reply. */
  readonly id: string
  readonly method: string
  /** The W3C Trace Context header, unparsed. */
  readonly traceparent: string | undefined
}

export interface HttpObserver {
  onRequest(seen: RequestSeen): void
  /** Wraps all work of a request, `onRequest` included, for traces. Must run the work and settle when it does. */
  runRequest?(request: RequestBegun, work: () => Promise<void>): Promise<void>
  /** A connection was closed before anything was read: too many in `total`, or too many from one `address`. */
  onConnectionRefused?(limit: ConnectionLimit): void
  /** A connection was closed because of something that its client did or failed to do. */
  onConnectionClosed?(reason: CloseReason): void
}

export type ConnectionLimit = 'total' | 'address'

/**
 * `pipelining`: too many requests arrived before the first was answered. `body-idle`: no byte of a request body arrived
 * for too long, or too few while other requests waited for its memory. `reply-idle`: no byte of a reply was read for
 * too long, or too few while other requests waited for its memory.
 */
export type CloseReason = 'pipelining' | 'body-idle' | 'reply-idle'

/** The current numbers of connections, requests and bytes held. */
export interface HttpCounts {
  readonly connections: number
  readonly requestsInFlight: number
  /** Parsed requests that wait for earlier ones on their connection. */
  readonly requestsWaiting: number
  /** The bytes of replies that are made in memory, or about to be, and not yet read by their clients. */
  readonly replyBytesHeld: number
  /** Requests whose reply waits for room in memory. */
  readonly repliesWaiting: number
}
