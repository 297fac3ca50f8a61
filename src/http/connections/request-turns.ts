/**
 * Serves one request at a time on each connection, and at most one in each turn of the event loop. Node parses
 * everything in one read, up to 64 KiB, and a read can hold a thousand requests. The requests after the first wait
 * here, neither routed nor authorized, and the socket is not read until they are served. Clients that wait for each
 * reply are not affected.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** A request as Node passes it on, with its response. */
export interface ParsedRequest {
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  readonly expectsContinue: boolean
}

export interface RequestTurnsOptions {
  readonly maxWaiting: number
  /** Called when it is the turn of a request. The turn lasts until the client has received the reply. */
  readonly serve: (request: ParsedRequest) => void
  /** Answers input that the parser refused; `current` is the reply that the connection is busy with. */
  readonly refuse: (error: Error, socket: Socket, current: ServerResponse | undefined) => void
  /** Called when more than `maxWaiting` requests wait; the connection is closed. */
  readonly onOverflow: (socket: Socket) => void
  /** Called for each request that was parsed after another in the same read, also after the connection was closed. */
  readonly onParsedAhead: (socket: Socket) => void
  /** Whether the server is draining: waiting requests are then dropped. */
  readonly isClosing: () => boolean
}

interface Connection {
  readonly socket: Socket
  current: ParsedRequest
  /** Created when a request has to wait for the first time. */
  waiting: ParsedRequest[] | undefined
  /** The error of the parser, after the requests that it accepted. */
  refused: Error | undefined
  isLeaving: boolean
}

export class RequestTurns {
  readonly #options: RequestTurnsOptions
  readonly #connections = new WeakMap<Socket, Connection>()
  /** Connections on which a request was served in this turn of the event loop. */
  readonly #served = new Set<Connection>()
  #waiting = 0

  constructor(options: RequestTurnsOptions) {
    this.#options = options
  }

  /** The number of parsed requests that wait for their turn, over all connections. */
  get waiting(): number {
    return this.#waiting
  }

  /** Serves the request at once, or after the requests before it are answered. */
  enter(request: ParsedRequest): void {
    const { socket } = request.incoming
    // This request was parsed from a read of a connection that is already closed.
    if (socket.destroyed) {
      this.#options.onParsedAhead(socket)
      return
    }
    const connection = this.#connections.get(socket)
    if (connection === undefined) {
      const opened = { socket, current: request, waiting: undefined, refused: undefined, isLeaving: false }
      this.#connections.set(socket, opened)
      this.#serve(opened, request)
      return
    }
    if (isFree(connection) && !this.#served.has(connection)) {
      this.#serve(connection, request)
      return
    }
    this.#wait(connection, request)
  }

  /** Refuses at once if the error concerns the request being served; otherwise after the replies to earlier requests. */
  refuse(error: Error, socket: Socket): void {
    const connection = this.#connections.get(socket)
    if (connection === undefined || !isOfParser(error) || !hasRepliesBefore(connection)) {
      this.#options.refuse(error, socket, connection?.current.response)
      return
    }
    // The parser reports every further piece too.
    if (connection.refused !== undefined) return
    connection.refused = error
    this.#openQueue(connection)
    socket.pause()
    this.#advanceAfterCurrent(connection)
  }

  /** Whether `response` belongs to the latest request that got its turn on its connection. */
  isCurrent(socket: Socket, response: ServerResponse): boolean {
    return this.#connections.get(socket)?.current.response === response
  }

  #serve(connection: Connection, request: ParsedRequest): void {
    connection.current = request
    if (this.#served.size === 0) setImmediate(() => this.#served.clear())
    this.#served.add(connection)
    this.#options.serve(request)
  }

  #wait(connection: Connection, request: ParsedRequest): void {
    const waiting = this.#openQueue(connection)
    this.#options.onParsedAhead(connection.socket)
    if (waiting.length >= this.#options.maxWaiting) {
      this.#drop(connection)
      this.#options.onOverflow(connection.socket)
      connection.socket.destroy()
      return
    }
    waiting.push(request)
    this.#waiting += 1
    if (waiting.length > 1) return
    connection.socket.pause()
    this.#advanceAfterCurrent(connection)
  }

  #openQueue(connection: Connection): ParsedRequest[] {
    if (connection.waiting !== undefined) return connection.waiting
    const { socket } = connection
    const waiting: ParsedRequest[] = []
    connection.waiting = waiting
    // Node resumes the socket at the end of each message and whenever a body is read. The waiting requests do not need
    // that: only the body of the last one can be incomplete.
    socket.on('resume', () => {
      if (waiting.length > 0 || connection.refused !== undefined) socket.pause()
    })
    socket.once('close', () => this.#drop(connection))
    return waiting
  }

  #advanceAfterCurrent(connection: Connection): void {
    if (connection.isLeaving) return
    connection.isLeaving = true
    const { response } = connection.current
    // In the next turn of the event loop, because Node runs pending callbacks after each piece of a body, within the
    // same read of the socket.
    const advance = (): void => void setImmediate(() => this.#advance(connection))
    // The request was answered between the parser's report and this call.
    if (response.closed) advance()
    else response.once('close', advance)
  }

  #advance(connection: Connection): void {
    connection.isLeaving = false
    const { socket, waiting = [] } = connection
    if (socket.destroyed || socket.writableEnded) this.#drop(connection)
    else if (this.#options.isClosing()) {
      this.#drop(connection)
      socket.destroySoon()
    } else {
      const next = waiting.shift()
      if (next !== undefined) this.#waiting -= 1
      this.#take(connection, next)
    }
  }

  #take(connection: Connection, next: ParsedRequest | undefined): void {
    const { socket, waiting = [], refused } = connection
    // Nothing follows the refused input, and a request whose body is incomplete is part of it.
    const isLast = refused !== undefined && waiting.length === 0
    if (next === undefined || (isLast && !next.incoming.complete)) {
      if (refused !== undefined) this.#options.refuse(refused, socket, connection.current.response)
      return
    }
    connection.current = next
    if (waiting.length > 0 || isLast) this.#advanceAfterCurrent(connection)
    else socket.resume()
    this.#serve(connection, next)
  }

  #drop({ waiting }: Connection): void {
    if (waiting === undefined) return
    this.#waiting -= waiting.length
    waiting.length = 0
  }
}

/** Whether the client has received the whole reply or disconnected, and no request waits. */
function isFree({ current: { response }, waiting }: Connection): boolean {
  return (waiting === undefined || waiting.length === 0) && (response.writableFinished || response.destroyed)
}

/** Whether the error says that the next bytes are not a valid request. A network error ends the connection instead. */
function isOfParser(error: Error): boolean {
  const code = 'code' in error ? String(error.code) : ''
  return code.startsWith('HPE_') || code === 'ERR_HTTP_REQUEST_TIMEOUT'
}

/** Whether a completely parsed request is not answered yet. A body that breaks off belongs to the last request. */
function hasRepliesBefore({ current, waiting }: Connection): boolean {
  if (waiting !== undefined && waiting.length > 0) return true
  return current.incoming.complete && !current.response.writableFinished && !current.response.destroyed
}
