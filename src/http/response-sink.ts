import type { ServerResponse } from 'node:http'
import type { ByteSink } from '../registry/blobs.ts'
import { ClientGoneError } from './errors.ts'

/**
 * Writes to a response with the back-pressure of its reader: a write resolves when the kernel took the bytes, so the
 * buffer may be reused. A closed connection, or a reader that takes nothing for `idleMs`, rejects what is pending.
 */
export class ResponseSink implements ByteSink, Disposable {
  readonly #response: ServerResponse
  readonly #pending = new Set<(error: Error) => void>()
  readonly #timer: NodeJS.Timeout
  readonly #onClose = (): void => this.#rejectPending()
  written = 0

  constructor(response: ServerResponse, idleMs: number) {
    this.#response = response
    this.#timer = setTimeout(() => {
      if (this.#pending.size > 0) response.destroy()
    }, idleMs)
    response.on('close', this.#onClose)
    // A write that fails reports to its caller; without a listener the event would end the process.
    response.on('error', this.#onClose)
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#response.destroyed) return Promise.reject(new ClientGoneError())
    this.#timer.refresh()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#pending.add(reject)
    this.#response.write(bytes, (error) => {
      this.#pending.delete(reject)
      if (error) reject(new ClientGoneError())
      else resolve()
    })
    this.written += bytes.length
    return promise
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#response.off('close', this.#onClose)
  }

  #rejectPending(): void {
    for (const reject of this.#pending) reject(new ClientGoneError())
    this.#pending.clear()
  }
}
