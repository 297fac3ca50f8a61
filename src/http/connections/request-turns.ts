/**
 * One request at a time on each connection, and one in each turn of the event loop. Node parses everything that came in one
 * piece, up to 64 KiB, and a piece can hold a thousand requests: those behind the first wait here, unrouted and unauthorised, and
 * meanwhile the socket is not read. A client that waits for its replies never meets any of this.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** A request as Node hands it over, with the reply that belongs to it. */
export interface ParsedRequest {
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  readonly expectsContinue: boolean
}

export interface RequestTurnsOptions {
  readonly maxWaiting: number
  /** Called when the turn of a request has come; its turn lasts until the peer took the reply. */
  readonly serve: (request: ParsedRequest) => void
  /** Answers what the parser refused; `current` is the reply that the connection is busy with. */
  readonly refuse: (error: Error, socket: Socket, current: ServerResponse | undefined) => void
  /** One more than `maxWaiting` came; the connection is closed. */
  readonly onOverflow: (socket: Socket) => void
  /** Called for each request that was parsed behind another in the same read, also after the connection was closed. */
  readonly onParsedAhead: (socket: Socket) => void
  /** While draining, nothing that waits gets its turn. */
  readonly isClosing: () => boolean
}

interface Connection {
  readonly socket: Socket
  current: ParsedRequest
  /** Made when something has to wait for the first time. */
  waiting: ParsedRequest[] | undefined
  /** What the parser refused behind the requests that it took. */
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

  /** Parsed requests that wait for their turn, of all connections. */
  get waiting(): number {
    return this.#waiting
  }

  /** Serves the request at once, or when the requests before it are answered. */
  enter(request: ParsedRequest): void {
    const { socket } = request.incoming
    // The rest of a piece whose connection is gone already.
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

  /** Refuses at once what concerns the request that is being served; otherwise after the replies that come before. */
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

  /** Whether `response` is the latest that got its turn on its connection. */
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
    // Node resumes the socket at the end of each message and whenever a body is read, which the requests in line do not need: a
    // body that is incomplete is always that of the last one.
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
    // In the next turn of the event loop: Node runs what is pending after each piece of a body, within the same read of the socket.
    const advance = (): void => void setImmediate(() => this.#advance(connection))
    // Answered between the parser's report and this call.
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
    // Nothing more comes after what was refused, and a request whose body is incomplete is part of it.
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

/** The peer took the whole reply, or nobody is left to take it. */
function isFree({ current: { response }, waiting }: Connection): boolean {
  return (waiting === undefined || waiting.length === 0) && (response.writableFinished || response.destroyed)
}

/** An error of the network ends the connection; these say that what came next is no request. */
function isOfParser(error: Error): boolean {
  const code = 'code' in error ? String(error.code) : ''
  return code.startsWith('HPE_') || code === 'ERR_HTTP_REQUEST_TIMEOUT'
}

/** Something that was parsed whole is not answered yet; a body that breaks off belongs to the last request. */
function hasRepliesBefore({ current, waiting }: Connection): boolean {
  if (waiting !== undefined && waiting.length > 0) return true
  return current.incoming.complete && !current.response.writableFinished && !current.response.destroyed
}
