/**
 * @module
 * The HTTP listener of the registry on `node:http`: connections, time-outs, and draining at shutdown.
 * `handle-request.ts` serves the requests, `routes.ts` lists the endpoints, and the management API serves requests
 * below `/api`. Nothing below this folder knows HTTP.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { createYoungGarbage } from '../lib/memory/young-garbage.ts'
import { answerClientError, answerWithoutTls } from './connections/client-error.ts'
import { ConnectionLimits } from './connections/connection-limits.ts'
import { parseTrustedProxies } from './requests/forwarded.ts'
import { handleRequest } from './handle-request.ts'
import type { RequestDeps } from './handle-request.ts'
import { joinedIncomingFor } from './connections/joined-incoming.ts'
import type { HttpLimits } from './limits.ts'
import type { HttpCounts } from './observer.ts'
import { peerAddress } from './requests/origin.ts'
import { ReadTurns } from './connections/read-turns.ts'
import { Readers } from './connections/readers.ts'
import { Cors } from './replies/cors.ts'
import { RequestTurns } from './connections/request-turns.ts'
import type { ParsedRequest } from './connections/request-turns.ts'
import type { ReservedAddress } from './connections/reserve-address.ts'
import { createRouter } from './router.ts'
import { routes } from './routes.ts'
import { createTlsServer, replaceTlsFiles, sortByFirstByte } from './connections/tls.ts'
import type { TlsFiles } from './connections/tls.ts'

export interface RegistryServerDeps extends Omit<
  RequestDeps,
  'router' | 'garbage' | 'publicAddress' | 'isClosing' | 'readers' | 'cors'
> {
  /**
   * The URL at which clients reach this registry, such as `https://registry.example.com`; if absent, it is taken from
   * each request.
   */
  readonly publicUrl?: string | undefined
  /** The addresses and networks whose `X-Forwarded-*` and `Forwarded` headers are trusted; if absent, none. */
  readonly trustedProxies?: readonly string[] | undefined
  /** The origins of pages that may read replies, or `*`; if absent, none. */
  readonly corsOrigins?: readonly string[] | undefined
  /** The certificate and key; if absent, the listener speaks plain HTTP. */
  readonly tls?: TlsFiles | undefined
}

export interface RegistryServer extends AsyncDisposable {
  /** Resolves with the address in use; port 0 selects a free port. Throws the error of a failed listen. */
  listen(options: { readonly host: string; readonly port: number }): Promise<AddressInfo>
  /** Takes over an address that was reserved before. Resolves with it once requests are served. */
  listenOn(reserved: ReservedAddress): Promise<AddressInfo>
  /** Returns the address in use, or `undefined` unless listening. */
  address(): AddressInfo | undefined
  counts(): HttpCounts
  /**
   * Replaces the certificate for new connections. Throws and changes nothing if certificate and key do not belong
   * together.
   */
  reloadTls(files: TlsFiles): void
  /**
   * Accepts no more connections and resolves once every request is answered; requests still open after `deadlineMs` are
   * cut off. May be called again with a shorter deadline.
   */
  close(options: { readonly deadlineMs: number }): Promise<void>
}

class NodeRegistryServer implements RegistryServer {
  readonly #server: Server | TlsServer
  readonly #tlsServer: TlsServer | undefined
  readonly #deps: RequestDeps
  readonly #connections: ConnectionLimits
  readonly #reads = new ReadTurns()
  readonly #turns: RequestTurns
  #requestsInFlight = 0
  #closing: Promise<void> | undefined

  constructor({ publicUrl, trustedProxies: entries = [], corsOrigins, tls, ...deps }: RegistryServerDeps) {
    const trustedProxies = parseTrustedProxies(entries)
    this.#deps = {
      ...deps,
      router: createRouter(routes),
      garbage: createYoungGarbage(),
      publicAddress: { publicUrl: publicUrl?.replace(/\/+$/, ''), trustedProxies },
      readers: new Readers(deps),
      cors: new Cors(corsOrigins),
      isClosing: () => this.#closing !== undefined,
    }
    const options = toNodeOptions(deps.limits, this.#reads)
    this.#tlsServer = tls && createTlsServer(tls, { ...options, handshakeTimeout: deps.limits.headersMs })
    this.#server = this.#tlsServer ?? createServer(options)
    this.#connections = new ConnectionLimits({ ...deps, trustedProxies })
    this.#turns = new RequestTurns({
      maxWaiting: deps.limits.waitingPerConnection,
      serve: (request) => this.#serve(request),
      refuse: (error, socket, current) => this.#refuse(error, socket, current),
      onOverflow: (socket) => this.#onOverflow(socket),
      onParsedAhead: (socket) => this.#reads.spendRequest(socket),
      isClosing: this.#deps.isClosing,
    })
    this.#attach(this.#server)
  }

  #attach(server: Server | TlsServer): void {
    server.maxRequestsPerSocket = 0
    const enter = (expectsContinue: boolean) => (incoming: IncomingMessage, response: ServerResponse) =>
      this.#turns.enter({ incoming, response, expectsContinue })
    server.on('request', enter(false))
    server.on('checkContinue', enter(true))
    // Node would answer at once, even while another request is being served.
    server.on('checkExpectation', enter(false))
    server.on('clientError', (error, socket) => this.#turns.refuse(error, socket as Socket))
    // Node's own handling of a connection runs after the limits and, with TLS, after a look at the first byte.
    const [accept] = server.listeners('connection') as [(socket: Socket) => void]
    server.removeAllListeners('connection')
    const onTls = (socket: Socket): void => accept.call(server, socket)
    const onPlain = (socket: Socket): void => answerWithoutTls(socket, this.#deps.ids.requestId())
    const timeoutMs = this.#deps.limits.headersMs
    this.#tlsServer?.on('secureConnection', (socket) => this.#reads.add(socket))
    this.#connections.guard(server, (socket) => {
      if (this.#tlsServer === undefined) {
        this.#reads.add(socket)
        accept.call(server, socket)
      } else sortByFirstByte(socket, { onTls, onPlain, timeoutMs })
    })
  }

  listen({ host, port }: { host: string; port: number }): Promise<AddressInfo> {
    const server = this.#server
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port }, () => {
        server.off('error', reject)
        resolve(server.address() as AddressInfo)
      })
    })
  }

  listenOn(reserved: ReservedAddress): Promise<AddressInfo> {
    return reserved.handOver(this.#server)
  }

  address(): AddressInfo | undefined {
    return (this.#server.address() as AddressInfo | null) ?? undefined
  }

  counts(): HttpCounts {
    return {
      connections: this.#connections.open,
      requestsInFlight: this.#requestsInFlight,
      requestsWaiting: this.#turns.waiting,
      replyBytesHeld: this.#deps.readers.heldBytes,
      repliesWaiting: this.#deps.readers.waiting,
    }
  }

  reloadTls(files: TlsFiles): void {
    if (this.#tlsServer === undefined) throw new Error('this server was started without TLS')
    replaceTlsFiles(this.#tlsServer, files)
  }

  async close({ deadlineMs }: { deadlineMs: number }): Promise<void> {
    this.#closing ??= this.#closeServer()
    this.#connections.destroySilent()
    const timer = setTimeout(() => {
      this.#server.closeAllConnections()
      this.#connections.destroyAll()
    }, deadlineMs)
    try {
      await this.#closing
    } finally {
      clearTimeout(timer)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close({ deadlineMs: 0 })
  }

  /**
   * Waits for the server and for the connections: Node's server does not count connections that were made before it
   * listened.
   */
  async #closeServer(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
    await this.#connections.drained()
  }

  #serve(request: ParsedRequest): void {
    const { incoming, response } = request
    this.#requestsInFlight += 1
    const { socket } = incoming
    this.#reads.spendHead(socket, lengthOfHead(incoming))
    void handleRequest(request, this.#deps).then(() => {
      this.#requestsInFlight -= 1
      if (this.#closing !== undefined && this.#turns.isCurrent(socket, response)) {
        endConnection(socket, response)
      }
    })
  }

  #refuse(error: Error, socket: Socket, current: ServerResponse | undefined): void {
    answerClientError(error, socket, {
      current,
      requestId: this.#deps.ids.requestId(),
      log: this.#deps.log,
    })
  }

  #onOverflow(socket: Socket): void {
    const { log, limits, observer } = this.#deps
    observer?.onConnectionClosed?.('pipelining')
    log.debug(
      { address: peerAddress(socket), limit: limits.waitingPerConnection },
      'a connection was closed: too many requests arrived before the first was answered',
    )
  }
}

function toNodeOptions(limits: HttpLimits, reads: ReadTurns): ServerOptions {
  return {
    IncomingMessage: joinedIncomingFor(reads),
    // Uploads may take hours; `bodyIdleMs` limits the silence inside a body instead.
    requestTimeout: 0,
    headersTimeout: limits.headersMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(limits.headersMs, 5_000),
    maxHeaderSize: limits.headerBytes,
    // `check-head.ts` requires it, with a reply that explains the error.
    requireHostHeader: false,
    optimizeEmptyRequests: true,
  }
}

/** Ends a connection whose current reply promised to keep it open, because its head was sent before the drain began. */
function endConnection(socket: Socket, response: ServerResponse): void {
  if (response.writableFinished) socket.destroySoon()
  else response.once('finish', () => socket.destroySoon())
}

/** Creates a server that is not listening yet. */
export function createRegistryServer(deps: RegistryServerDeps): RegistryServer {
  return new NodeRegistryServer(deps)
}

/** The length of the URL and of all header values. Names are not counted: the parser limits their number. */
function lengthOfHead({ url = '', rawHeaders }: IncomingMessage): number {
  let length = url.length
  for (let index = 1; index < rawHeaders.length; index += 2) length += rawHeaders[index]?.length ?? 0
  return length
}
