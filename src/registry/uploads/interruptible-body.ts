/**
 * Reads a body that may stall forever: a wait ends with the signal's reason. One listener serves the whole body, because adding
 * and removing one per piece cost as much as hashing the body.
 */
export class InterruptibleBody implements Disposable {
  readonly #iterator: AsyncIterator<Uint8Array>
  readonly #signal: AbortSignal
  #rejectWait: ((reason: unknown) => void) | undefined
  readonly #onAbort = (): void => this.#rejectWait?.(this.#signal.reason)

  constructor(body: AsyncIterable<Uint8Array>, signal: AbortSignal) {
    this.#iterator = body[Symbol.asyncIterator]()
    this.#signal = signal
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Returns the next piece, or `undefined` at the end. */
  next(): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#signal.aborted) {
        reject(this.#signal.reason)
        return
      }
      this.#rejectWait = reject
      this.#iterator.next().then((piece) => resolve(piece.done === true ? undefined : piece.value), reject)
    })
  }

  /** Ends an aborted body. A body that is waiting for its next piece ends only when that wait does. */
  [Symbol.dispose](): void {
    this.#signal.removeEventListener('abort', this.#onAbort)
    if (this.#signal.aborted) this.#iterator.return?.().catch(() => undefined)
  }
}
