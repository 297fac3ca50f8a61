/**
 * Reads a request body piece by piece, with a limit on the silence between pieces. It never destroys the request when a
 * reader stops early, because the reply still has to reach the client (see `discard`).
 */
import type { IncomingMessage } from 'node:http'
import { BodyStalledError, ClientGoneError } from '../errors.ts'
import { KeptPieces } from '../connections/kept-pieces.ts'

export interface BodyReaderOptions {
  readonly idleMs: number
  /** Called with the size of every piece that is read. */
  readonly onBytes?: ((bytes: number) => void) | undefined
  /** Called when the client has sent nothing for `idleMs`. */
  readonly onStall?: (() => void) | undefined
  /** Called before the first read, to answer `Expect: 100-continue`. */
  readonly onStart?: (() => void) | undefined
}

/** Above this, the socket is paused until the reader has taken every kept piece. */
const mostKeptBytes = 128 * 1024

const done: IteratorReturnResult<undefined> = { done: true, value: undefined }

export class BodyReader implements AsyncIterable<Uint8Array> {
  /** Whether the request announces a body. */
  readonly expected: boolean
  readonly #incoming: IncomingMessage
  readonly #options: BodyReaderOptions
  #iterator: BodyIterator | undefined
  #discarded = 0
  #checkAtEnd: (() => Promise<void>) | undefined

  constructor(incoming: IncomingMessage, options: BodyReaderOptions) {
    const { headers } = incoming
    const length = headers['content-length']
    this.expected = length === undefined ? headers['transfer-encoding'] !== undefined : Number(length) > 0
    this.#incoming = incoming
    this.#options = options
  }

  /**
   * Runs the check once the whole body has arrived, before its reader sees the end. The reader gets the errors of the
   * check.
   */
  checkAtEnd(check: () => Promise<void>): void {
    this.#checkAtEnd = check
  }

  /**
   * Whether part of the body is unread. Buffered bytes count: left there, they can keep the connection from being read
   * on.
   */
  get unread(): boolean {
    return this.expected && !this.#incoming.readableEnded
  }

  /** The bytes that were read or dropped so far. */
  get bytes(): number {
    return this.#discarded + (this.#iterator?.bytes ?? 0)
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    if (this.#iterator !== undefined) throw new Error('a request body can be read once only')
    if (this.unread) this.#options.onStart?.()
    this.#iterator = new BodyIterator(this.#incoming, this.#options, this.#checkAtEnd)
    return this.#iterator
  }

  /**
   * Drops the rest of the body, so that a client that writes before it reads sees the reply and not a connection reset. Resolves
   * to `false` if a limit was reached or the client disconnected: the connection cannot be used further.
   */
  async discard(bounds: { bytes: number; ms: number }): Promise<boolean> {
    const incoming = this.#incoming
    await this.#iterator?.return()
    if (incoming.readableEnded) return true
    if (incoming.destroyed) return false
    const { promise, resolve } = Promise.withResolvers<boolean>()
    let rest = bounds.bytes
    const timer = setTimeout(() => resolve(false), bounds.ms)
    incoming.on('data', (chunk: Uint8Array) => {
      rest -= chunk.length
      this.#discarded += chunk.length
      if (rest < 0) resolve(false)
    })
    incoming.on('end', () => resolve(true))
    incoming.on('close', () => resolve(incoming.readableEnded))
    incoming.on('error', () => resolve(false))
    incoming.resume()
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      incoming.pause()
    }
  }
}

/**
 * Written by hand because a generator cannot be stopped while it waits for the client. Pieces are taken as the parser
 * emits them: reading the stream's buffer would copy them into one.
 */
class BodyIterator implements AsyncIterator<Uint8Array, undefined> {
  readonly #incoming: IncomingMessage
  readonly #options: BodyReaderOptions
  readonly #checkAtEnd: (() => Promise<void>) | undefined
  readonly #onData = (piece: Uint8Array): void => this.#keep(piece)
  readonly #wake = (): void => this.#pump()
  readonly #onClose = (): void => this.#keepRest()
  /** The pieces that arrived while no read was waiting. */
  readonly #kept = new KeptPieces()
  #waiting: PromiseWithResolvers<IteratorResult<Uint8Array, undefined>> | undefined
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  bytes = 0

  constructor(
    incoming: IncomingMessage,
    options: BodyReaderOptions,
    checkAtEnd: (() => Promise<void>) | undefined,
  ) {
    this.#incoming = incoming
    this.#options = options
    this.#checkAtEnd = checkAtEnd
    incoming.on('data', this.#onData)
    incoming.on('end', this.#wake)
    incoming.on('error', this.#wake)
    incoming.on('close', this.#onClose)
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#stopped) return Promise.resolve(done)
    const piece = this.#kept.take()
    if (piece !== undefined) return Promise.resolve(this.#handOut(piece))
    const waiting = Promise.withResolvers<IteratorResult<Uint8Array, undefined>>()
    this.#waiting = waiting
    this.#pump()
    return waiting.promise
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    this.#stop()
    this.#waiting?.resolve(done)
    this.#waiting = undefined
    return Promise.resolve(done)
  }

  #keep(piece: Uint8Array): void {
    const waiting = this.#waiting
    if (waiting !== undefined) {
      this.#waiting = undefined
      waiting.resolve(this.#handOut(piece))
      return
    }
    this.#kept.keep(piece)
    if (this.#kept.bytes >= mostKeptBytes) this.#incoming.pause()
  }

  #handOut(piece: Uint8Array): IteratorYieldResult<Uint8Array> {
    if (this.#kept.bytes === 0 && this.#incoming.isPaused()) this.#incoming.resume()
    this.#options.onBytes?.(piece.length)
    this.bytes += piece.length
    return { done: false, value: piece }
  }

  /**
   * Keeps the bytes that a paused stream still holds from before the connection broke. The reader may never come back
   * for them, so the timer is cleared now: it would keep a stopping process from ending.
   */
  #keepRest(): void {
    clearTimeout(this.#timer)
    const rest = this.#incoming.read() as Uint8Array | null
    if (rest === null) this.#pump()
    else this.#keep(rest)
  }

  #pump(): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    const piece = this.#kept.take()
    if (piece === undefined && !this.#incoming.readableEnded && !this.#incoming.destroyed) {
      this.#armTimer()
      return
    }
    this.#waiting = undefined
    if (piece !== undefined) {
      waiting.resolve(this.#handOut(piece))
      return
    }
    this.#stop()
    if (!this.#incoming.readableEnded) waiting.reject(new ClientGoneError())
    else if (this.#checkAtEnd === undefined) waiting.resolve(done)
    else void this.#endAfter(this.#checkAtEnd, waiting)
  }

  async #endAfter(
    check: () => Promise<void>,
    waiting: PromiseWithResolvers<IteratorResult<Uint8Array, undefined>>,
  ): Promise<void> {
    try {
      await check()
      waiting.resolve(done)
    } catch (error) {
      waiting.reject(error)
    }
  }

  /** Limits only the silence of the client, not the time that we take to process its bytes. */
  #armTimer(): void {
    const { idleMs } = this.#options
    this.#timer ??= setTimeout(() => {
      const waiting = this.#waiting
      if (waiting === undefined) return
      this.#waiting = undefined
      this.#stop()
      this.#options.onStall?.()
      waiting.reject(new BodyStalledError(idleMs))
    }, idleMs)
    this.#timer.refresh()
  }

  #stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    const incoming = this.#incoming
    incoming.off('data', this.#onData)
    incoming.off('end', this.#wake)
    incoming.off('error', this.#wake)
    incoming.off('close', this.#onClose)
    // Without a listener, the rest of the body would keep flowing and be discarded.
    if (!incoming.readableEnded) incoming.pause()
  }
}
