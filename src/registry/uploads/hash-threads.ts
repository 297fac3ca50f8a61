/**
 * Hashing on threads of its own: the event loop is left to the network, and an upload runs at the speed of the slower of
 * the two rather than of both. The large buffers of the store are shared memory and are not copied; bytes of small ones
 * are, into shared memory of the thread. A small end is hashed where it is, since a message to a thread costs more.
 */
import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { formatDigest } from '../../oci/digest.ts'
import type { DigestAlgorithm } from '../../oci/digest.ts'
import type { ContentHasher, FinishedHash } from './content-hasher.ts'
import { HashThread } from './hash-thread.ts'
import type { HashRequest } from './hash-thread.ts'

/** One core stays free for the event loop; more threads than this outrun every disk. */
const maxThreads = 4
/** Hashing as much takes less time than a message to a thread and back; a whole buffer of the store is no end. */
const smallBytes = 64 * 1024

/** Starts threads when they are needed first; dispose it when no upload runs any more. */
export class HashThreads implements AsyncDisposable {
  readonly #count = Math.min(maxThreads, Math.max(1, availableParallelism() - 1))
  readonly #threads: HashThread[] = []
  #hashers = 0

  /** To be given the bytes as the store writes them. */
  createHasher(algorithm: DigestAlgorithm): ContentHasher {
    const id = this.#hashers++
    return new ThreadHasher({ id, algorithm }, () => this.#threadOf(id))
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

type Upload = Omit<HashRequest, 'step'>

class ThreadHasher implements ContentHasher {
  readonly algorithm: DigestAlgorithm
  readonly takes = 'stored bytes'
  readonly #upload: Upload
  readonly #chooseThread: () => HashThread
  /** All bytes, as long as they may be few. */
  #small: Uint8Array<ArrayBuffer> | undefined
  /** Once chosen it stays: the state of the hash is there. */
  #thread: HashThread | undefined
  /** What stands in the thread's line; never rejects. */
  #posted: Promise<unknown> = Promise.resolve()

  constructor(upload: Upload, chooseThread: () => HashThread) {
    this.#upload = upload
    this.#chooseThread = chooseThread
    this.algorithm = upload.algorithm
  }

  /** Resolves when the bytes may be overwritten. */
  async update(bytes: Uint8Array): Promise<void> {
    if (this.#thread !== undefined) return this.#send(this.#thread, bytes)
    if (this.#small === undefined && bytes.byteLength < smallBytes) {
      this.#small = Uint8Array.from(bytes)
      return
    }
    this.#thread = this.#chooseThread()
    const small = this.#small ?? new Uint8Array()
    this.#small = undefined
    await Promise.all([this.#send(this.#thread, small), this.#send(this.#thread, bytes)])
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
    void this.#posted
      .then(() => this.#thread?.ask({ ...this.#upload, step: 'abandon' }))
      .catch(() => undefined)
  }

  async #digest(): Promise<string> {
    if (this.#thread === undefined) {
      return createHash(this.algorithm)
        .update(this.#small ?? new Uint8Array())
        .digest('hex')
    }
    await this.#posted
    const digest = await this.#thread.ask({ ...this.#upload, step: 'finish' })
    if (digest === undefined) throw new Error('the hashing thread gave no digest')
    return digest
  }

  /** One after the other into the line, whether they have to be copied or not. */
  async #send(thread: HashThread, bytes: Uint8Array): Promise<void> {
    const posting = this.#posted.then(() => thread.post(this.#upload, bytes))
    this.#posted = posting.catch(() => undefined)
    const { done } = await posting
    await done
  }
}
