/**
 * Reads the headers in which proxies describe the client: `X-Forwarded-*`, or `Forwarded` (RFC 7239) if none of those
 * is sent. Only proxies that the operator declared are trusted; the headers of other peers are ignored.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { quote } from '../../oci/quote.ts'

export interface ForwardedClient {
  readonly address: string
  readonly scheme: 'http' | 'https' | undefined
  /** The host, unchecked, as the proxy sent it. */
  readonly host: string | undefined
  /** The port, in digits. */
  readonly port: string | undefined
}

export interface TrustedProxies {
  has(address: string): boolean
}

const mappedPrefix = '::ffff:'

/** Parses addresses and networks (`10.0.0.0/8`, `::1`). Throws for an entry that is neither. */
export function parseTrustedProxies(entries: readonly string[]): TrustedProxies {
  const list = new BlockList()
  for (const entry of entries) addEntry(list, entry)
  return {
    has: (address) => entries.length > 0 && list.check(address, address.includes(':') ? 'ipv6' : 'ipv4'),
  }
}

function addEntry(list: BlockList, entry: string): void {
  const [text = '', length, ...rest] = entry.trim().split('/')
  const family = isIP(text) === 6 ? 'ipv6' : 'ipv4'
  const bits = family === 'ipv6' ? 128 : 32
  const prefix = length === undefined ? bits : Number(length)
  const isLength = length === undefined || /^\d{1,3}$/.test(length)
  if (isIP(text) === 0 || rest.length > 0 || !isLength || prefix > bits) {
    throw new Error(
      `trusted proxy ${quote(entry)} is not an address or network: write 10.0.0.5, 10.0.0.0/8 or fd00::/8`,
    )
  }
  list.addSubnet(text, prefix, family)
}

/**
 * Each proxy appends the address of its peer, so the list is read from its end for as long as the peer is trusted.
 * Entries that a client wrote at the front are ignored.
 */
export function readForwarded(
  headers: IncomingHttpHeaders,
  peer: string,
  proxies: TrustedProxies,
): ForwardedClient {
  if (!proxies.has(peer)) return { address: peer, scheme: undefined, host: undefined, port: undefined }
  const { addresses, schemes, hosts, ports } = readHeaders(headers)
  let address = peer
  let hops = 0
  while (hops <= addresses.length && proxies.has(address)) {
    hops += 1
    const next = parseAddress(addresses.at(-hops) ?? '')
    if (next === undefined) break
    address = next
  }
  const scheme = valueAt(schemes, hops)?.toLowerCase()
  return {
    address,
    scheme: scheme === 'http' || scheme === 'https' ? scheme : undefined,
    host: valueAt(hosts, hops),
    port: /^\d{1,5}$/.exec(valueAt(ports, hops) ?? '')?.[0],
  }
}

interface ForwardedLists {
  readonly addresses: readonly string[]
  readonly schemes: readonly string[]
  readonly hosts: readonly string[]
  readonly ports: readonly string[]
}

function readHeaders(headers: IncomingHttpHeaders): ForwardedLists {
  const addresses = splitList(headers['x-forwarded-for'])
  const schemes = splitList(headers['x-forwarded-proto'])
  const hosts = splitList(headers['x-forwarded-host'])
  const ports = splitList(headers['x-forwarded-port'])
  const count = addresses.length + schemes.length + hosts.length + ports.length
  if (count > 0) return { addresses, schemes, hosts, ports }
  const elements = splitList(headers.forwarded).map((element) => parseElement(element))
  return {
    addresses: elements.map((element) => element.get('for') ?? ''),
    schemes: elements.map((element) => element.get('proto') ?? ''),
    hosts: elements.map((element) => element.get('host') ?? ''),
    // The host of an element includes its port (RFC 7239, 5.3).
    ports: [],
  }
}

function splitList(header: string | string[] | undefined): readonly string[] {
  if (header === undefined) return []
  const text = typeof header === 'string' ? header : header.join(',')
  return text.split(',').map((value) => value.trim())
}

/** Parses an element such as `for=192.0.2.43;proto=https;host="registry.example.com"`. */
function parseElement(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(';').map((pair) => {
    const mark = pair.indexOf('=')
    const value = pair.slice(mark + 1).trim()
    return [pair.slice(0, Math.max(0, mark)).trim().toLowerCase(), value.replaceAll('"', '')] as const
  })
  return new Map(pairs)
}

/** Returns the value of the outermost trusted proxy: if every hop appends a value, it is `hops` values from the end. */
function valueAt(values: readonly string[], hops: number): string | undefined {
  const value = values.at(-Math.min(hops, values.length))
  return value === '' ? undefined : value
}

/**
 * Returns an address without port, brackets and zone, and an IPv4-mapped IPv6 address as IPv4. Returns `undefined` if
 * the text is not an address.
 */
export function parseAddress(text: string): string | undefined {
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text)?.[1]
  const bare = bracketed ?? (isIP(text) === 0 ? text.replace(/:\d{1,5}$/, '') : text)
  const [address = ''] = bare.split('%', 1)
  if (isIP(address) === 0) return undefined
  const mapped = address.toLowerCase().startsWith(mappedPrefix) ? address.slice(mappedPrefix.length) : ''
  return isIP(mapped) === 4 ? mapped : address.toLowerCase()
}
