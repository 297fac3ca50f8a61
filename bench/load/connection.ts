/**
 * @module One HTTP/1.1 keep-alive connection on a bare socket, for a load generator that must cost less than the server it
 * measures: requests are buffers made in advance, a response is its status and the length of its body. It understands only the
 * responses of registries; anything else is an error, never a wrong figure.
 */
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { once } from 'node:events'

export interface RawAnswer {
  readonly status: number
  /** The head as received. */
  readonly head: string
  /** The number of bytes of the body (none for HEAD). */
  readonly bodyBytes: number
}

interface Pending {
  readonly isHead: boolean
  readonly resolve: (answer: RawAnswer) => void
  readonly reject: (error: Error) => void
}

const readBufferBytes = 1024 * 1024
const headEnd = Buffer.from('\r\n\r\n')
const chunkedEnd = Buffer.from('0\r\n\r\n')

export class RawConnection implements Disposable {
  readonly #socket: Socket
  #pending: Pending | undefined
  #head: Buffer | undefined
  #answer: { status: number; head: string } | undefined
  /** The number of remaining bytes of the body, or `undefined` while a chunked body is read. */
  #left: number | undefined = 0
  #tail = Buffer.alloc(0)
  #bodyBytes = 0

  private constructor(url: string) {
    const { hostname, port } = new URL(url)
    this.#socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      // One buffer for all reads: a large GET must not make garbage of its own size.
      onread: {
        buffer: Buffer.allocUnsafeSlow(readBufferBytes),
        callback: (bytes, buffer) => {
          this.#onBytes(Buffer.from(buffer.buffer, buffer.byteOffset, bytes))
          return true
        },
      },
    })
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('the server closed the connection')))
  }

  /** Opens a connection. Rejects when nothing listens at the address. */
  static async open(url: string): Promise<RawConnection> {
    const connection = new RawConnection(url)
    await once(connection.#socket, 'connect')
    return connection
  }

  /** Writes one request and reads its response to the end. */
  async exchange(
    request: readonly Uint8Array[],
    options: { readonly isHead?: boolean } = {},
  ): Promise<RawAnswer> {
    const answer = this.#expect(options.isHead ?? false)
    this.#socket.cork()
    for (const part of request) this.#socket.write(part)
    this.#socket.uncork()
    return await answer
  }

  /**
   * Like `exchange`, but with a body of any size: each buffer is written when the socket has accepted the previous one. An early
   * response ends the sending.
   */
  async exchangeStream(head: Uint8Array, body: Iterable<Uint8Array>): Promise<RawAnswer> {
    const answer = this.#expect(false)
    const pending = this.#pending
    this.#socket.write(head)
    for (const part of body) {
      if (this.#pending !== pending) break
      if (!this.#socket.write(part)) await Promise.race([once(this.#socket, 'drain'), answer])
    }
    return await answer
  }

  [Symbol.dispose](): void {
    this.#pending = undefined
    this.#socket.destroy()
  }

  #onBytes(bytes: Buffer): void {
    if (this.#answer !== undefined) {
      this.#onBody(bytes)
      return
    }
    // The read buffer is reused, so data that outlives this call is copied.
    const head = this.#head === undefined ? bytes : Buffer.concat([this.#head, bytes])
    const end = head.indexOf(headEnd)
    if (end === -1) {
      this.#head = Buffer.from(head)
      return
    }
    this.#head = undefined
    this.#startBody(head.toString('latin1', 0, end))
    this.#onBody(head.subarray(end + headEnd.length))
  }

  #expect(isHead: boolean): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      this.#pending = { isHead, resolve, reject }
    })
  }

  #startBody(head: string): void {
    const status = Number(head.slice(9, 12))
    this.#answer = { status, head }
    this.#bodyBytes = 0
    this.#tail = Buffer.alloc(0)
    this.#left = this.#pending?.isHead === true || status === 204 || status === 304 ? 0 : bodyLength(head)
  }

  #onBody(bytes: Buffer): void {
    this.#bodyBytes += bytes.length
    if (this.#left === undefined) {
      this.#tail = Buffer.concat([this.#tail, bytes]).subarray(-chunkedEnd.length)
      if (this.#tail.equals(chunkedEnd)) this.#finish()
      return
    }
    this.#left -= bytes.length
    if (this.#left < 0) this.#fail(new Error('the server sent more than it announced'))
    if (this.#left === 0) this.#finish()
  }

  #finish(): void {
    const pending = this.#pending
    const answer = this.#answer
    this.#answer = undefined
    this.#pending = undefined
    if (answer !== undefined) pending?.resolve({ ...answer, bodyBytes: this.#bodyBytes })
  }

  #fail(error: Error): void {
    this.#pending?.reject(error)
    this.#pending = undefined
  }
}

/** Returns the length of the body; `undefined` for a chunked body. */
function bodyLength(head: string): number | undefined {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length !== undefined) return Number(length)
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) return undefined
  throw new Error(`a response without a length cannot be measured: ${head}`)
}

/** Returns the head of a request as bytes; values must not contain `\r\n`. */
export function requestHead(
  method: string,
  url: URL,
  headers: Readonly<Record<string, string | number>> = {},
): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(
    `${method} ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\n${lines.join('')}\r\n`,
    'latin1',
  )
}

/** Returns the value of a header in a raw head. Throws when it is missing. */
export function headerOf({ head }: RawAnswer, name: string): string {
  const value = new RegExp(`\\r\\n${name}: *([^\\r]*)`, 'i').exec(head)?.[1]
  if (value === undefined) throw new Error(`the response has no ${name}: ${head}`)
  return value
}

/** Returns the response. Throws with its head when its status is different. */
export function expectStatus(answer: RawAnswer, status: number, what: string): RawAnswer {
  if (answer.status === status) return answer
  throw new Error(`${what} answered ${answer.status} instead of ${status}: ${answer.head}`)
}
