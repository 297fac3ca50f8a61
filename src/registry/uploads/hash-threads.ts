/**
 * Hashes on separate threads: the event loop is left to the network, and an upload runs at the speed of the slower of the two,
 * not of both together. The store's large buffers are shared memory and are not copied; bytes in small buffers are copied into
 * shared memory of the thread. A small final piece is hashed on the event loop, because a message to a thread costs more.
 */
import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { formatDigest } from '../../oci/digest.ts'
import type { DigestAlgorithm } from '../../oci/digest.ts'
import type { ContentHasher, FinishedHash } from './content-hasher.ts'
import { HashThread } from './hash-thread.ts'
import type { HashRequest } from './hash-thread.ts'

/** One core stays free for the event loop; this many threads are already faster than any disk. */
const maxThreads = 4
/**
 * Hashing this much takes less time than a message to a thread and back. A full buffer of the store is never this small, so it
 * does not count as a small end.
 */
const smallBytes = 64 * 1024

/** Starts threads when they are first needed. Dispose it when no upload runs any more. */
export class HashThreads implements AsyncDisposable {
  readonly #count = Math.min(maxThreads, Math.max(1, availableParallelism() - 1))
  readonly #threads: HashThread[] = []
  #hashers = 0

  /** Creates a hasher that receives the bytes as the store writes them. */
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
  /** All bytes so far, while there are only a few. */
  #small: Uint8Array<ArrayBuffer> | undefined
  /** Does not change once chosen, because the state of the hash is in that thread. */
  #thread: HashThread | undefined
  /** The bytes being queued for the thread; never rejects. */
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

  /** A hash in a thread cannot be resumed elsewhere: an unfinished upload is read again. */
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
    if (digest === undefined) throw new Error('the hashing thread returned no digest')
    return digest
  }

  /** Queues bytes in order, whether they must be copied or not. */
  async #send(thread: HashThread, bytes: Uint8Array): Promise<void> {
    const posting = this.#posted.then(() => thread.post(this.#upload, bytes))
    this.#posted = posting.catch(() => undefined)
    const { done } = await posting
    await done
  }
}
