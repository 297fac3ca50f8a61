/**
 * The address of the client and the URL that it used for this registry. Behind proxies the connection shows neither.
 * Both are read on demand, because most requests need little of them.
 */
import type { IncomingMessage } from 'node:http'
import type { Origin } from '../../identity/identity.ts'
import { parseAddress, readForwarded } from './forwarded.ts'
import type { ForwardedClient, TrustedProxies } from './forwarded.ts'

export interface PublicAddress {
  /**
   * The configured URL, such as `https://registry.example.com`, without a slash at the end; `undefined`: the request
   * gives it.
   */
  readonly publicUrl: string | undefined
  readonly trustedProxies: TrustedProxies
}

/** The most characters of a `User-Agent` that the audit keeps. */
const maxClientLength = 255

const hostPattern = /^(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i

/** Whether the text is a name or address with an optional port, which cannot point a challenge elsewhere. */
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

  /** The configured URL, without a slash at the end. */
  get publicUrl(): string | undefined {
    return this.#known.publicUrl
  }

  /** The URL of this registry as the client sees it, without a slash at the end. */
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
 * Adds the port that a proxy names, unless the host already has one. A default port is never added: either it is
 * implied, or it belongs to the other scheme and a proxy behind the one that speaks TLS, where no client can connect.
 */
function withPort(authority: string, port: string | undefined): string {
  return port === undefined || defaultPorts.has(port) || /:\d+$/.test(authority)
    ? authority
    : `${authority}:${port}`
}

/** Returns the address of the peer; empty if the connection is closed. */
export function peerAddress(socket: IncomingMessage['socket']): string {
  return parseAddress(socket.remoteAddress ?? '') ?? ''
}

/** Returns the local address, for HTTP/1.0 requests without `Host`. */
function formatLocal({ localAddress = '', localPort = 0 }: IncomingMessage['socket']): string {
  const address = parseAddress(localAddress) ?? 'localhost'
  return `${address.includes(':') ? `[${address}]` : address}:${localPort}`
}
