/**
 * @module Queues log lines for their destination. A line never waits: it is queued, and the queue is written in the background.
 * While the destination accepts nothing (a full disk, a reader that stalls or is gone), the queue keeps the lines that fit, drops
 * and counts the rest, and tries again. Once it can write again, a line in the gap says how many lines are missing.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { DestinationStream } from 'pino'

/** The destination. Both functions return how many bytes were written and throw the system error; `EAGAIN` means full for now. */
export interface LogSink {
  /** For a file, where writing may take long. Absent where `writeSync` never waits. */
  readonly write?: (bytes: Uint8Array) => Promise<number>
  writeSync(bytes: Uint8Array): number
}

export interface LogQueueOptions {
  readonly sink: LogSink
  /** Default 4 MiB. */
  readonly maxQueuedChars?: number
  /** Returns milliseconds that never decrease. */
  readonly monotonic: () => number
  /** Turns each JSON line into the line that is written. Default: JSON. */
  readonly format?: (line: string) => string
}

const defaultMaxQueuedChars = 4 * 1024 * 1024
/** The capacity of a pipe on Linux. */
const chunkChars = 64 * 1024
/** Until then a disk may have space again, or a new reader may have opened a named pipe. */
const retryAfterErrorMs = 1_000
const shortestPauseMs = 5
const longestPauseMs = 100
/** How long the end of the process may wait for a reader that stalls. */
const syncPatienceMs = 200
/** Far longer than a write to the page cache takes. */
const otherThreadMs = 50

/** Blocks this thread. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

interface Chunk {
  /** Shrinks as its first bytes are written. */
  bytes: Uint8Array
  readonly lines: number
  readonly chars: number
}

export class LogQueue implements DestinationStream {
  readonly #sink: LogSink
  readonly #maxQueuedChars: number
  readonly #monotonic: () => number
  readonly #format: (line: string) => string
  #lines: string[] = []
  #queuedChars = 0
  #chunk: Chunk | undefined
  #isWriting = false
  #turn: NodeJS.Immediate | undefined
  #retry: NodeJS.Timeout | undefined
  #pauseMs = shortestPauseMs
  #failure: string | undefined
  #dropped = 0
  #gap = 0

  constructor(options: LogQueueOptions) {
    const { sink, maxQueuedChars = defaultMaxQueuedChars, monotonic, format = String } = options
    this.#sink = sink
    this.#maxQueuedChars = maxQueuedChars
    this.#monotonic = monotonic
    this.#format = format
  }

  /** The number of lines dropped since the start. */
  get dropped(): number {
    return this.#dropped
  }

  /** The number of lines not written yet, except those that a thread is writing. */
  get waiting(): number {
    return this.#lines.length + (this.#isWriting ? 0 : (this.#chunk?.lines ?? 0))
  }

  /** The error code of the last attempt to write; `undefined` if it succeeded. */
  get failure(): string | undefined {
    return this.#failure
  }

  write(json: string): void {
    this.#markGap()
    const line = this.#format(json)
    if (this.#gap > 0 || this.#queuedChars + line.length > this.#maxQueuedChars) {
      this.#dropped += 1
      this.#gap += 1
      return
    }
    this.#push(line)
    if (this.#isWriting || this.#retry !== undefined) return
    // All lines of one turn of the event loop are written together.
    this.#turn ??= setImmediate(() => this.#pump())
  }

  /** Resolves when everything is written, at the first error other than `EAGAIN`, or after `deadlineMs`; never rejects. */
  async flush(deadlineMs: number): Promise<void> {
    const end = this.#monotonic() + deadlineMs
    this.#failure = undefined
    this.#pump()
    while ((this.waiting > 0 || this.#isWriting) && this.#monotonic() < end) {
      if (this.#failure !== undefined && this.#failure !== 'EAGAIN') return
      await sleep(shortestPauseMs)
    }
  }

  /** Writes what it can on this thread and stops waiting after 0.2 s; for the end of the process. Never throws. */
  flushSync(): void {
    const end = this.#monotonic() + syncPatienceMs
    // Another thread finishes its own write: the process waits for that thread. A short pause for it keeps the lines in order,
    // with the error that ends the process last, unless the disk hangs.
    if (this.#isWriting) pause(otherThreadMs)
    let chunk = this.#isWriting ? this.#take() : (this.#chunk ?? this.#take())
    for (; chunk !== undefined; chunk = this.#take()) {
      while (chunk.bytes.length > 0 && this.#writeNow(chunk, end));
      const isWritten = chunk.bytes.length === 0
      if (isWritten) this.#queuedChars -= chunk.chars
      if (!this.#isWriting) this.#chunk = isWritten ? undefined : chunk
      else if (!isWritten) this.#dropped += chunk.lines
      if (!isWritten) return
    }
  }

  #writeNow(chunk: Chunk, end: number): boolean {
    try {
      shorten(chunk, this.#sink.writeSync(chunk.bytes))
      return true
    } catch (error) {
      this.#failure = codeOf(error)
      if (this.#failure !== 'EAGAIN' || this.#monotonic() >= end) return false
      pause(shortestPauseMs)
      return true
    }
  }

  #push(line: string): void {
    this.#lines.push(line)
    this.#queuedChars += line.length
  }

  /** Waits until the queue is at most half full: otherwise lines and gaps would alternate. */
  #markGap(): void {
    if (this.#gap === 0 || this.#queuedChars > this.#maxQueuedChars / 2) return
    const fields = {
      level: 'warn',
      time: new Date().toISOString(),
      count: this.#gap,
      msg: 'log lines dropped',
    }
    this.#gap = 0
    this.#push(this.#format(`${JSON.stringify(fields)}\n`))
  }

  #take(): Chunk | undefined {
    if (this.#lines.length === 0) return undefined
    let chars = 0
    let count = 0
    while (count < this.#lines.length && chars < chunkChars) chars += this.#lines[count++]?.length ?? 0
    const lines = this.#lines.splice(0, count)
    return { bytes: Buffer.from(lines.join('')), lines: count, chars }
  }

  #pump(): void {
    clearImmediate(this.#turn)
    this.#turn = undefined
    clearTimeout(this.#retry)
    this.#retry = undefined
    while (!this.#isWriting) {
      this.#chunk ??= this.#take()
      if (this.#chunk === undefined) return
      if (this.#sink.write !== undefined) {
        this.#isWriting = true
        this.#sink.write(this.#chunk.bytes).then(
          (taken) => this.#finish(() => taken),
          (error: unknown) =>
            this.#finish(() => {
              throw error
            }),
        )
        return
      }
      if (!this.#advance(this.#sink.writeSync.bind(this.#sink))) return
    }
  }

  #finish(result: () => number): void {
    this.#isWriting = false
    if (this.#advance(result)) this.#pump()
  }

  /** Returns whether to continue at once; otherwise a timer tries again. */
  #advance(write: (bytes: Uint8Array) => number): boolean {
    const chunk = this.#chunk
    if (chunk === undefined) return true
    try {
      shorten(chunk, write(chunk.bytes))
    } catch (error) {
      this.#failure = codeOf(error)
      this.#retryLater()
      return false
    }
    this.#failure = undefined
    this.#pauseMs = shortestPauseMs
    if (chunk.bytes.length === 0) {
      this.#chunk = undefined
      this.#queuedChars -= chunk.chars
    }
    this.#markGap()
    return true
  }

  #retryLater(): void {
    const delayMs = this.#failure === 'EAGAIN' ? this.#pauseMs : retryAfterErrorMs
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs)
    this.#retry = setTimeout(() => this.#pump(), delayMs).unref()
  }
}

/** Removes the written bytes. A destination that accepts no bytes is full for now. */
function shorten(chunk: Chunk, takenBytes: number): void {
  if (takenBytes === 0) throw Object.assign(new Error('nothing was written'), { code: 'EAGAIN' })
  chunk.bytes = chunk.bytes.subarray(takenBytes)
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'UNKNOWN'
}
