/**
 * Hashing on threads of its own: the event loop is left to the network, and an upload runs at the speed of the slower of
 * the two rather than of both. The buffers of the store are shared memory, so nothing is copied; what is small is
 * hashed at the end where it is, since a message to a thread costs more.
 */
/* oxlint-disable unicorn/require-post-message-target-origin -- threads have no origin, windows do */
import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { formatDigest } from '../../oci/digest.ts'
import type { DigestAlgorithm } from '../../oci/digest.ts'
import type { ContentHasher, FinishedHash } from './content-hasher.ts'

export interface HashRequest {
  /** One upload. */
  readonly id: number
  readonly algorithm: DigestAlgorithm
  readonly step: Uint8Array | 'finish' | 'abandon'
}

/** The digest in hexadecimal, after `finish`. */
export type HashReply = string | undefined

/** One core stays free for the event loop; more threads than this outrun every disk. */
const maxThreads = 4
/** Hashing as much takes less time than a message to a thread and back. */
const smallBytes = 64 * 1024

/** Starts threads when they are needed first; dispose it when no upload runs any more. */
export class HashThreads implements AsyncDisposable {
  readonly #count = Math.min(maxThreads, Math.max(1, availableParallelism() - 1))
  readonly #threads: HashThread[] = []
  #hashers = 0

  /** To be given the bytes as the store writes them. */
  createHasher(algorithm: DigestAlgorithm): ContentHasher {
    const id = this.#hashers++
    return new ThreadHasher({ id, algorithm, thread: () => this.#threadOf(id) })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.splice(0).map((thread) => thread.end()))
  }

  #threadOf(id: number): HashThread {
    const index = id % this.#count
    const running = this.#threads[index]
    if (running?.isAlive === true) return running
    const started = new HashThread()
    this.#threads[index] = started
    return started
  }
}

interface ThreadHasherDeps {
  readonly id: number
  readonly algorithm: DigestAlgorithm
  readonly thread: () => HashThread
}

class ThreadHasher implements ContentHasher {
  readonly algorithm: DigestAlgorithm
  readonly takes = 'stored bytes'
  readonly #deps: ThreadHasherDeps
  /** The first bytes, until it is clear that more follow. */
  #small: Uint8Array<ArrayBuffer> | undefined
  /** Once chosen it stays: the state of the hash is there. */
  #thread: HashThread | undefined

  constructor(deps: ThreadHasherDeps) {
    this.#deps = deps
    this.algorithm = deps.algorithm
  }

  /** Resolves when the bytes may be overwritten. */
  async update(bytes: Uint8Array): Promise<void> {
    if (this.#thread !== undefined) return this.#send(this.#thread, bytes)
    if (this.#small === undefined && bytes.byteLength <= smallBytes) {
      this.#small = Uint8Array.from(bytes)
      return
    }
    this.#thread = this.#deps.thread()
    const sent = this.#small === undefined ? undefined : this.#send(this.#thread, this.#small)
    this.#small = undefined
    await Promise.all([sent, this.#send(this.#thread, bytes)])
  }

  /** A hash in a thread goes on there only: what is not hashed to the end is read once more. */
  snapshot(offset: number): ReturnType<ContentHasher['snapshot']> {
    return { algorithm: this.algorithm, offset, digest: undefined, state: undefined }
  }

  async finish(offset: number): Promise<FinishedHash> {
    const digest = formatDigest(this.algorithm, await this.#digest())
    return { algorithm: this.algorithm, offset, digest, state: undefined }
  }

  abandon(): void {
    const { id, algorithm } = this.#deps
    this.#thread?.ask({ id, algorithm, step: 'abandon' }).catch(() => undefined)
  }

  async #digest(): Promise<string> {
    const { id, algorithm } = this.#deps
    if (this.#thread === undefined) {
      return createHash(algorithm)
        .update(this.#small ?? new Uint8Array())
        .digest('hex')
    }
    const digest = await this.#thread.ask({ id, algorithm, step: 'finish' })
    if (digest === undefined) throw new Error('the hashing thread gave no digest')
    return digest
  }

  async #send(thread: HashThread, bytes: Uint8Array): Promise<void> {
    const { id, algorithm } = this.#deps
    await thread.ask({ id, algorithm, step: bytes })
  }
}

interface Waiting {
  readonly resolve: (reply: HashReply) => void
  readonly reject: (error: unknown) => void
}

class HashThread {
  isAlive = true
  readonly #worker: Worker
  /** Requests that are not answered yet, oldest first. */
  readonly #waiting: Waiting[] = []

  constructor() {
    // The same file is TypeScript in a checkout and JavaScript in the package.
    const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
    this.#worker = new Worker(new URL(`./hash-worker${extension}`, import.meta.url))
    this.#worker.on('message', (reply: HashReply) => this.#waiting.shift()?.resolve(reply))
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new Error('a hashing thread ended')))
    // Last, because a listener keeps the process alive again.
    this.#worker.unref()
  }

  ask(request: HashRequest): Promise<HashReply> {
    const { promise, resolve, reject } = Promise.withResolvers<HashReply>()
    if (this.isAlive) {
      this.#waiting.push({ resolve, reject })
      this.#worker.postMessage(request)
    } else reject(new Error('a hashing thread ended'))
    return promise
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }

  #fail(error: unknown): void {
    this.isAlive = false
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}
