/**
 * Binds the address of a server before the server can serve, so that a port in use stops the start before it creates
 * anything. Connections that arrive in the meantime wait, and are passed to the server with the address.
 */
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

/** The most connections that wait. Further ones are closed, and their clients try again. */
const maxWaiting = 512

export interface ReservedAddress extends AsyncDisposable {
  readonly port: number
  /** Passes the address and the waiting connections to the server. Call it once. */
  handOver(server: Server): Promise<AddressInfo>
}

/** Resolves once the address is bound; port 0 selects a free port. Throws the error of a failed listen. */
export async function reserveAddress(address: {
  readonly host: string
  readonly port: number
}): Promise<ReservedAddress> {
  // The options of an HTTP server's connections, except that nothing is read from them yet.
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
      // From here on both share one handle of the system, and closing the server closes it.
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

/** Ignores the error of a client that disconnects while it waits. */
function ignore(): void {}
