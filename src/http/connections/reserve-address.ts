/**
 * Takes the address of a server before the server can serve, so that a port in use stops a start before it has made
 * anything. Connections that come meanwhile wait and are handed to the server with the address.
 */
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

/** More connections than this are closed: a client that is turned away tries again. */
const maxWaiting = 512

export interface ReservedAddress extends AsyncDisposable {
  readonly port: number
  /** The server takes the address over and hears the connections that wait. To be called once. */
  handOver(server: Server): Promise<AddressInfo>
}

/** Resolves when nobody else can take the address; port 0 takes a free one. Throws what listening failed with. */
export async function reserveAddress(address: {
  readonly host: string
  readonly port: number
}): Promise<ReservedAddress> {
  // As a server of HTTP makes its connections, but nothing is read from them yet.
  const holder = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true })
  const waiting = new Set<Socket>()
  let isHandedOver = false
  holder.on('connection', (socket) => {
    if (waiting.size >= maxWaiting) return void socket.destroy()
    waiting.add(socket)
    socket.on('error', ignore).once('close', () => waiting.delete(socket))
  })
  await listen(holder, () => holder.listen({ host: address.host, port: address.port }))
  return {
    port: (holder.address() as AddressInfo).port,
    async handOver(server) {
      // Both share one handle of the system from here on; closing the server closes it.
      await listen(server, () => server.listen(holder))
      isHandedOver = true
      for (const socket of waiting) {
        socket.off('error', ignore)
        server.emit('connection', socket)
        socket.resume()
      }
      waiting.clear()
      return server.address() as AddressInfo
    },
    async [Symbol.asyncDispose]() {
      if (isHandedOver) return
      for (const socket of waiting) socket.destroy()
      await new Promise<void>((resolve) => holder.close(() => resolve()))
    },
  }
}

function listen(server: Server, start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', () => {
      server.off('error', reject)
      resolve()
    })
    start()
  })
}

/** A client that leaves while it waits. */
function ignore(): void {}
