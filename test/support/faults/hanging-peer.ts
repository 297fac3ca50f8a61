/**
 * @module Clients that stop in the middle of a request or a reply and stay connected: a laptop that sleeps, a network that drops
 * packets silently, a stopped process. One thing differs from reality: on loopback the peer's kernel still acknowledges the data
 * that it receives, so a server sees silence and a full window, but no retransmissions.
 */
import { RawConnection } from '../http/raw-connection.ts'

/** Sends the head of a request without its end. */
export async function hangInHead(url: string): Promise<RawConnection> {
  const connection = await RawConnection.open(url)
  connection.write(`GET /v2/ HTTP/1.1\r\nHost: ${new URL(url).host}\r\nX-Unfinished: `)
  return connection
}

/** PATCHes an upload with a `Content-Length` of `announcedBytes`, but sends only `bytes`. */
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

/** Sends a request and reads no part of the reply, which fills its socket and then the server's. */
export async function hangInReply(url: string): Promise<RawConnection> {
  const { host, pathname, search } = new URL(url)
  const connection = await RawConnection.open(url)
  connection.pause()
  connection.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  return connection
}
