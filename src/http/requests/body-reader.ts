/**
 * Reads a request body piece by piece, with a bound on the silence between pieces. It never destroys the request when
 * a reader stops early: the reply still has to reach the client, see `discard`.
 */
import type { IncomingMessage } from 'node:http'
import { BodyStalledError, ClientGoneError } from '../errors.ts'
import { KeptPieces } from '../connections/kept-pieces.ts'

export interface BodyReaderOptions {
  readonly idleMs: number
  /** Told of every piece that was read. */
  readonly onBytes?: ((bytes: number) => void) | undefined
  /** Called when the client sent nothing for `idleMs`. */
  readonly onStall?: (() => void) | undefined
  /** Called before the first read: the place to answer `Expect: 100-continue`. */
  readonly onStart?: (() => void) | undefined
}

/** Beyond this the client is held back until everything is taken. */
const mostKeptBytes = 128 * 1024

const done: IteratorReturnResult<undefined> = { done: true, value: undefined }

export class BodyReader implements AsyncIterable<Uint8Array> {
  /** The request announces a body. */
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

  /** Runs the check when the whole body has arrived, before its reader hears of the end; what it throws, the reader gets. */
  checkAtEnd(check: () => Promise<void>): void {
    this.#checkAtEnd = check
  }

  /** Not everything was read. What is buffered counts: left there, it can keep the connection from reading on. */
  get unread(): boolean {
    return this.expected && !this.#incoming.readableEnded
  }

  /** What arrived so far, read or dropped. */
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
   * Drops what is left of the body, so that a client that writes before it reads sees the reply and no reset.
   * Resolves to `false` when the bounds were reached or the client left: the connection is of no further use.
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
 * Hand-written because a generator could not be stopped while it waits for the client. Pieces are taken as they come
 * out of the parser: reading what the stream has buffered would copy them into one.
 */
class BodyIterator implements AsyncIterator<Uint8Array, undefined> {
  readonly #incoming: IncomingMessage
  readonly #options: BodyReaderOptions
  readonly #checkAtEnd: (() => Promise<void>) | undefined
  readonly #onData = (piece: Uint8Array): void => this.#keep(piece)
  readonly #wake = (): void => this.#pump()
  readonly #onClose = (): void => this.#keepRest()
  /** Came while nobody waited. */
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
   * A paused stream may still hold what came before the connection broke. Nobody else need ever come back for it, so
   * the timer, which would keep a process that stops from ending, goes now.
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

  /** Only silence of the client counts, not the time that we take with what it sent. */
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
    // Without a listener the rest would be lost unseen, and without end.
    if (!incoming.readableEnded) incoming.pause()
  }
}
