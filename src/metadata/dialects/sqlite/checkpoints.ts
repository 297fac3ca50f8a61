/** Moves the log into the database file, a short while after commits, on a separate thread. */
/* oxlint-disable unicorn/require-post-message-target-origin -- threads have no origin, windows do */
import { Worker } from 'node:worker_threads'
import type { MetadataUnavailable } from '../../errors.ts'
import { describeFatal, type FatalKind } from './errors.ts'

export interface CheckpointWorkerData {
  readonly file: string
  /** The inode of the file that the registry opened. */
  readonly inode: bigint
}

export type CheckpointRequest = 'checkpoint' | 'close'

export type CheckpointReply =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly error: unknown; readonly fatal: FatalKind | undefined }

export interface CheckpointDeps extends CheckpointWorkerData {
  /** Called when a sync failed or a page is damaged. */
  readonly onFatal: (error: MetadataUnavailable) => void
  /** Called when a checkpoint failed. The log keeps everything, and the next commits retry. */
  readonly onError: (error: unknown) => void
}

// Long enough to cost nothing under load, short enough to keep the log at a few MiB.
const delayMs = 100

/** Runs checkpoints on a thread that starts with the first one. */
export class Checkpoints implements AsyncDisposable {
  readonly #deps: CheckpointDeps
  #worker: Worker | undefined
  #timer: NodeJS.Timeout | undefined
  #running = false

  constructor(deps: CheckpointDeps) {
    this.#deps = deps
  }

  /** Schedules a checkpoint. Call it after each commit. */
  noteCommit(): void {
    if (this.#timer !== undefined || this.#running) return
    this.#timer = setTimeout(() => this.#request(), delayMs)
    this.#timer.unref()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer)
    const worker = this.#worker
    if (worker === undefined) return
    const exited = Promise.withResolvers<void>()
    // Not `once` of node:events, which rejects when the thread fails: `onError` has reported that, and the thread is no
    // longer needed.
    worker.once('exit', () => exited.resolve())
    worker.ref()
    worker.postMessage('close' satisfies CheckpointRequest)
    await exited.promise
  }

  #request(): void {
    this.#timer = undefined
    this.#running = true
    this.#worker ??= this.#start()
    this.#worker.postMessage('checkpoint' satisfies CheckpointRequest)
  }

  #start(): Worker {
    // The worker is TypeScript in a checkout and JavaScript in the package.
    const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
    const { file, inode } = this.#deps
    const workerData: CheckpointWorkerData = { file, inode }
    const worker = new Worker(new URL(`./checkpoint-worker${extension}`, import.meta.url), {
      workerData,
    })
    worker.on('message', (reply: CheckpointReply) => this.#finish(reply))
    worker.on('error', (error) => this.#finish({ kind: 'failed', error, fatal: undefined }))
    worker.on('exit', () => {
      this.#worker = undefined
    })
    // Must come last: adding a listener keeps the process alive again.
    worker.unref()
    return worker
  }

  #finish(reply: CheckpointReply): void {
    this.#running = false
    if (reply.kind === 'done') return
    if (reply.fatal !== undefined) this.#deps.onFatal(describeFatal(reply.fatal, reply.error))
    else this.#deps.onError(reply.error)
  }
}
