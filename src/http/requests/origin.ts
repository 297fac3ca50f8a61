/**
 * Where a request comes from and how the client addressed this registry: behind proxies the connection tells
 * neither. Read on demand, since most requests need little of it.
 */
import type { IncomingMessage } from 'node:http'
import type { Origin } from '../../identity/identity.ts'
import { parseAddress, readForwarded } from './forwarded.ts'
import type { ForwardedClient, TrustedProxies } from './forwarded.ts'

export interface PublicAddress {
  /** As configured, `https://registry.example.com`, no slash at the end; `undefined`: what the request says. */
  readonly publicUrl: string | undefined
  readonly trustedProxies: TrustedProxies
}

/** More is of no use in the audit. */
const maxClientLength = 255

const hostPattern = /^(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i

/** A name or address with an optional port: nothing that could lead a challenge elsewhere. */
export function isHost(text: string): boolean {
  return hostPattern.test(text)
}

export class RequestOrigin implements Origin {
  readonly #incoming: IncomingMessage
  readonly #known: PublicAddress
  readonly requestId: string
  #forwarded: ForwardedClient | undefined

  constructor(incoming: IncomingMessage, known: PublicAddress, requestId: string) {
    this.requestId = requestId
    this.#incoming = incoming
    this.#known = known
  }

  get address(): string {
    return this.#client.address
  }

  get client(): string | undefined {
    return this.#incoming.headers['user-agent']?.slice(0, maxClientLength)
  }

  /** As configured; no slash at the end. */
  get publicUrl(): string | undefined {
    return this.#known.publicUrl
  }

  /** Of this registry as the client sees it; no slash at the end. */
  get registryUrl(): string {
    if (this.publicUrl !== undefined) return this.publicUrl
    const { host, port, ...client } = this.#client
    const { socket, headers } = this.#incoming
    const scheme = client.scheme ?? ('encrypted' in socket ? 'https' : 'http')
    const authority = host !== undefined && isHost(host) ? host : (headers.host ?? formatLocal(socket))
    return `${scheme}://${withPort(authority, port)}`
  }

  get #client(): ForwardedClient {
    const { headers, socket } = this.#incoming
    this.#forwarded ??= readForwarded(headers, peerAddress(socket), this.#known.trustedProxies)
    return this.#forwarded
  }
}

const defaultPorts: ReadonlySet<string> = new Set(['80', '443'])

/**
 * The port that a proxy says, unless the host has one already. Neither default port is ever added: it is implied, or it is the one
 * of the other scheme, of a proxy behind the one that speaks TLS, and no client gets anywhere with it.
 */
function withPort(authority: string, port: string | undefined): string {
  return port === undefined || defaultPorts.has(port) || /:\d+$/.test(authority)
    ? authority
    : `${authority}:${port}`
}

/** Empty for a connection that is gone. */
export function peerAddress(socket: IncomingMessage['socket']): string {
  return parseAddress(socket.remoteAddress ?? '') ?? ''
}

/** For HTTP/1.0, where `Host` may be missing. */
function formatLocal({ localAddress = '', localPort = 0 }: IncomingMessage['socket']): string {
  const address = parseAddress(localAddress) ?? 'localhost'
  return `${address.includes(':') ? `[${address}]` : address}:${localPort}`
}
