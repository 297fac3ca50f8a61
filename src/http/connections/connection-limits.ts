/** Counts connections, in total and per address, and closes excess ones before anything is read. */
import type { Server, Socket } from 'node:net'
import { groupAddress } from '../../lib/group-address.ts'
import type { TrustedProxies } from '../requests/forwarded.ts'
import type { HttpLimits } from '../limits.ts'
import type { Log } from '../log.ts'
import type { HttpObserver } from '../observer.ts'
import { peerAddress } from '../requests/origin.ts'

export interface ConnectionLimitsDeps {
  readonly limits: Pick<HttpLimits, 'connections' | 'connectionsPerAddress'>
  readonly trustedProxies: TrustedProxies
  readonly log: Log
  readonly observer?: HttpObserver | undefined
}

export class ConnectionLimits {
  readonly #deps: ConnectionLimitsDeps
  readonly #byAddress = new Map<string, number>()
  readonly #open = new Set<Socket>()
  readonly #drained: (() => void)[] = []

  constructor(deps: ConnectionLimitsDeps) {
    this.#deps = deps
  }

  get open(): number {
    return this.#open.size
  }

  /** Resolves when no connection is open. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#open.size === 0) resolve()
      else this.#drained.push(resolve)
    })
  }

  /**
   * Closes connections that have sent nothing. Node counts them as busy, and does not know those whose handshake is still in
   * progress.
   */
  destroySilent(): void {
    for (const socket of this.#open) if (socket.bytesRead === 0) socket.destroy()
  }

  destroyAll(): void {
    for (const socket of this.#open) socket.destroy()
  }

  /** Closes excess connections and passes the others to `accept`. Call it once; it replaces the server's own listeners. */
  guard(server: Server, accept: (socket: Socket) => void): void {
    server.maxConnections = this.#deps.limits.connections
    server.on('drop', (dropped) => this.#refuse('total', dropped?.remoteAddress))
    server.on('connection', (socket: Socket) => {
      if (this.#take(socket)) accept(socket)
      else socket.destroy()
    })
  }

  #take(socket: Socket): boolean {
    const { limits, trustedProxies } = this.#deps
    const address = peerAddress(socket)
    const group = groupAddress(address)
    const held = this.#byAddress.get(group) ?? 0
    if (held >= limits.connectionsPerAddress && !trustedProxies.has(address)) {
      this.#refuse('address', address)
      return false
    }
    this.#open.add(socket)
    this.#byAddress.set(group, held + 1)
    socket.once('close', () => this.#release(socket, group))
    return true
  }

  #release(socket: Socket, group: string): void {
    this.#open.delete(socket)
    if (this.#open.size === 0) for (const resolve of this.#drained.splice(0)) resolve()
    const held = (this.#byAddress.get(group) ?? 1) - 1
    if (held === 0) this.#byAddress.delete(group)
    else this.#byAddress.set(group, held)
  }

  #refuse(limit: 'total' | 'address', address: string | undefined): void {
    this.#deps.observer?.onConnectionRefused?.(limit)
    this.#deps.log.debug({ limit, address }, 'a connection was refused: too many are open')
  }
}
