import type { ServerResponse } from 'node:http'
import type { ByteSink } from '../../registry/blobs.ts'
import { ClientGoneError } from '../errors.ts'

/**
 * Writes to a response with back-pressure: a write resolves once the kernel has accepted the bytes, so the buffer may
 * be reused. The head is sent with the first bytes, so that a source that fails before them can still be answered with
 * an error. If the connection closes, pending writes reject.
 */
export class ResponseSink implements ByteSink, Disposable {
  readonly #response: ServerResponse
  readonly #writeHead: () => void
  readonly #pending = new Set<(error: Error) => void>()
  readonly #onClose = (): void => this.#rejectPending()
  written = 0

  constructor(response: ServerResponse, writeHead: () => void) {
    this.#response = response
    this.#writeHead = writeHead
    response.on('close', this.#onClose)
    // A failed write is reported to its caller; without a listener the event would end the process.
    response.on('error', this.#onClose)
  }

  /** Rejects with `ClientGoneError`, or with the error of writing the head. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#response.destroyed) return Promise.reject(new ClientGoneError())
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    try {
      this.begin()
    } catch (error) {
      reject(error)
      return promise
    }
    this.#pending.add(reject)
    this.#response.write(bytes, (error) => {
      this.#pending.delete(reject)
      if (error) reject(new ClientGoneError())
      else resolve()
    })
    this.written += bytes.length
    return promise
  }

  /** Writes the head if that is not done yet: for a reply without a byte of body. */
  begin(): void {
    if (!this.#response.headersSent) this.#writeHead()
  }

  [Symbol.dispose](): void {
    this.#response.off('close', this.#onClose)
  }

  #rejectPending(): void {
    for (const reject of this.#pending) reject(new ClientGoneError())
    this.#pending.clear()
  }
}
