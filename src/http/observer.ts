/** What metrics hear of the HTTP layer: called once per request, so it must be cheap and must not throw. */
export interface RequestSeen {
  /** The `id` of the row in the route table; `undefined` when none matched. */
  readonly route: string | undefined
  /** Of that row, with its placeholders: nothing of what the client asked for. */
  readonly path: string | undefined
  readonly method: string
  /** `undefined`: the client left before it had a reply. */
  readonly status: number | undefined
  /** From the parsed head to the last byte handed to the connection. */
  readonly durationMs: number
  /** Of the bodies alone. */
  readonly bytesIn: number
  readonly bytesOut: number
}

export interface RequestBegun {
  /** The one in the log and in the reply. */
  readonly id: string
  readonly method: string
  /** The header of W3C Trace Context, as it came. */
  readonly traceparent: string | undefined
}

export interface HttpObserver {
  onRequest(seen: RequestSeen): void
  /** Everything a request causes runs inside this, `onRequest` too: for traces. Must run the work, and pass on its end. */
  runRequest?(request: RequestBegun, work: () => Promise<void>): Promise<void>
  /** A connection was closed unheard: too many in `total`, or too many from one `address`. */
  onConnectionRefused?(limit: ConnectionLimit): void
  /** A connection was closed for what its client did, or did not do. */
  onConnectionClosed?(reason: CloseReason): void
}

export type ConnectionLimit = 'total' | 'address'

/**
 * `pipelining`: too many requests came before the first was answered; `body-idle`: no byte of a request body came for too long, or too few while others waited for its memory;
 * `reply-idle`: no byte of a reply was taken for too long.
 */
export type CloseReason = 'pipelining' | 'body-idle' | 'reply-idle'

/** What stands open just now. */
export interface HttpCounts {
  readonly connections: number
  readonly requestsInFlight: number
  /** Parsed, and behind others of their connection. */
  readonly requestsWaiting: number
  /** Of replies made in memory, or about to be, that their readers have not taken yet. */
  readonly replyBytesHeld: number
  /** Requests whose reply waits for room in memory. */
  readonly repliesWaiting: number
}
