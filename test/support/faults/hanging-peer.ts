/**
 * @module Clients that stop in the middle of a request or a reply and stay connected: a laptop that sleeps, a network
 * that drops packets without a word, a stopped process. Faithful but for what the kernel does: on loopback the peer's
 * kernel goes on to acknowledge what it gets, so a server sees silence and a full window, and no retransmissions.
 */
import { RawConnection } from '../raw-connection.ts'

/** Says what it wants, and not that it is done saying so. */
export async function hangInHead(url: string): Promise<RawConnection> {
  const connection = await RawConnection.open(url)
  connection.write(`GET /v2/ HTTP/1.1\r\nHost: ${new URL(url).host}\r\nX-Unfinished: `)
  return connection
}

/** PATCHes an upload with so many bytes, of which it sends `bytes`. */
export async function hangInBody(
  session: URL,
  bytes: Uint8Array,
  announcedBytes: number,
): Promise<RawConnection> {
  const connection = await RawConnection.open(session)
  const head = [
    `PATCH ${session.pathname}${session.search} HTTP/1.1`,
    `Host: ${session.host}`,
    `Content-Length: ${announcedBytes}`,
  ]
  connection.write(`${head.join('\r\n')}\r\n\r\n`)
  connection.write(bytes)
  return connection
}

/** Asks for something and takes nothing of it: what comes fills its socket and then the server's. */
export async function hangInReply(url: string): Promise<RawConnection> {
  const { host, pathname, search } = new URL(url)
  const connection = await RawConnection.open(url)
  connection.pause()
  connection.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  return connection
}
