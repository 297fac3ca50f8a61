/** A TCP or TLS connection on which a test writes raw bytes in several steps and reads the bytes received so far. */
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

const patienceMs = 10_000

export class RawConnection implements Disposable {
  received = ''
  closed = false
  readonly #socket: Socket
  #changed = Promise.withResolvers<void>()

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      this.received += text
      this.#notify()
    })
    // A reset also closes the connection.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.closed = true
      this.#notify()
    })
  }

  static async open(url: string | URL): Promise<RawConnection> {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    const connection = new RawConnection(socket)
    await once(socket, 'connect')
    return connection
  }

  /** Opens a connection with TLS; accepts any certificate. */
  static async openTls(url: string | URL): Promise<RawConnection> {
    const { hostname, port } = new URL(url)
    const socket = connectTls({ port: Number(port), host: hostname, rejectUnauthorized: false })
    const connection = new RawConnection(socket)
    await once(socket, 'secureConnect')
    return connection
  }

  write(bytes: Uint8Array | string): void {
    this.#socket.write(bytes)
  }

  /** Stops reading: the bytes that the server sends stay in the socket. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Ends the connection with RST: data in transit in either direction is lost, as when the peer crashes. */
  reset(): void {
    this.#socket.resetAndDestroy()
  }

  /**
   * Waits until `accept` is true for the bytes received so far. Throws when the server closes the connection first, or when it
   * takes too long.
   */
  async until(accept: (received: string) => boolean): Promise<string> {
    await this.#wait(() => accept(this.received) || this.closed)
    if (!accept(this.received)) throw new Error(`the server closed after ${JSON.stringify(this.received)}`)
    return this.received
  }

  /** Waits until the server closes the connection. Returns everything that it sent. */
  async untilClosed(): Promise<string> {
    await this.#wait(() => this.closed)
    return this.received
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  async #wait(satisfied: () => boolean): Promise<void> {
    const late = setTimeout(() => {
      this.#changed.reject(new Error(`nothing more came after ${JSON.stringify(this.received)}`))
    }, patienceMs)
    try {
      while (!satisfied()) await this.#changed.promise
    } finally {
      clearTimeout(late)
    }
  }

  #notify(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}

/** Returns the statuses of all responses in a text, in order. */
export function statusesIn(received: string): number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
}
