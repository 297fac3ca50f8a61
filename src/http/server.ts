/**
 * @module
 * The HTTP listener of the registry on `node:http`: connections, time-outs, drain at shutdown. What a request means is
 * `handle-request.ts`, which endpoints there are is `routes.ts`. Nothing below this folder knows HTTP.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { createYoungGarbage } from '../lib/young-garbage.ts'
import { answerClientError } from './client-error.ts'
import { handleRequest } from './handle-request.ts'
import type { RequestDeps } from './handle-request.ts'
import { createRouter } from './router.ts'
import { routes } from './routes.ts'

export type RegistryServerDeps = Omit<RequestDeps, 'router' | 'isClosing' | 'garbage'>

export interface RegistryServer extends AsyncDisposable {
  /** Resolves with the address in use; port 0 takes a free one. Throws what listening failed with. */
  listen(options: { readonly host: string; readonly port: number }): Promise<AddressInfo>
  /** `undefined` unless listening. */
  address(): AddressInfo | undefined
  /**
   * Takes no more connections and resolves when every request is answered; what is not by `deadlineMs` is cut off.
   * May be called again with a shorter deadline.
   */
  close(options: { readonly deadlineMs: number }): Promise<void>
}

class NodeRegistryServer implements RegistryServer {
  readonly #server: Server
  readonly #deps: RequestDeps
  /** The latest reply of each connection, to know whether it may be interrupted. */
  readonly #current = new WeakMap<Socket, ServerResponse>()
  #closing: Promise<void> | undefined

  constructor(deps: RegistryServerDeps) {
    this.#deps = {
      ...deps,
      router: createRouter(routes),
      garbage: createYoungGarbage(),
      isClosing: () => this.#closing !== undefined,
    }
    const { limits } = deps
    this.#server = createServer({
      // Uploads may take hours; silence inside a body is bounded by `bodyIdleMs` instead.
      requestTimeout: 0,
      headersTimeout: limits.headersMs,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: Math.min(limits.headersMs, 5_000),
      maxHeaderSize: limits.headerBytes,
      optimizeEmptyRequests: true,
    })
    this.#server.maxRequestsPerSocket = 0
    this.#server.on('request', (incoming, response) => this.#handle(incoming, response, false))
    this.#server.on('checkContinue', (incoming, response) => this.#handle(incoming, response, true))
    this.#server.on('clientError', (error, socket) => this.#refuse(error, socket as Socket))
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

  address(): AddressInfo | undefined {
    return (this.#server.address() as AddressInfo | null) ?? undefined
  }

  async close({ deadlineMs }: { deadlineMs: number }): Promise<void> {
    this.#closing ??= new Promise((resolve) => this.#server.close(() => resolve()))
    const timer = setTimeout(() => this.#server.closeAllConnections(), deadlineMs)
    try {
      await this.#closing
    } finally {
      clearTimeout(timer)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close({ deadlineMs: 0 })
  }

  #handle(incoming: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    this.#current.set(incoming.socket, response)
    void handleRequest({ incoming, response, expectsContinue }, this.#deps).then(() => {
      if (this.#closing !== undefined) endConnection(incoming.socket, response)
    })
  }

  #refuse(error: Error, socket: Socket): void {
    answerClientError(error, socket, {
      current: this.#current.get(socket),
      requestId: this.#deps.ids.requestId(),
      log: this.#deps.log,
    })
  }
}

/** For replies whose head was sent before the drain began and that promised to keep the connection. */
function endConnection(socket: Socket, response: ServerResponse): void {
  if (response.writableFinished) socket.destroySoon()
  else response.once('finish', () => socket.destroySoon())
}

/** The server is not listening yet. */
export function createRegistryServer(deps: RegistryServerDeps): RegistryServer {
  return new NodeRegistryServer(deps)
}
