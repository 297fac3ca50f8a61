/** A hashing thread, as seen from the event loop: it receives bytes in shared memory and answers in order. */
/* oxlint-disable unicorn/require-post-message-target-origin -- threads have no origin, windows do */
import { Worker } from 'node:worker_threads'
import type { DigestAlgorithm } from '../../oci/digest.ts'

export interface HashRequest {
  /** Identifies the upload. */
  readonly id: number
  readonly algorithm: DigestAlgorithm
  readonly step: Uint8Array | 'finish' | 'abandon'
}

/** The digest in hexadecimal, after `finish`. */
export type HashReply = string | undefined

interface Waiting {
  readonly resolve: (reply: HashReply) => void
  readonly reject: (error: unknown) => void
}

/** The bytes are queued for the thread, in order. `done` resolves when they may be overwritten. */
interface Posted {
  readonly done: Promise<unknown>
}

/** The limits of a thread: it needs memory only for a few hashes and for messages in transit. */
const resourceLimits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 32, stackSizeMb: 1 }
const slotBytes = 64 * 1024
const slots = 8

export class HashThread {
  isAlive = true
  readonly #worker: Worker
  /** Requests without an answer, oldest first. */
  readonly #waiting: Waiting[] = []
  /** Slots for bytes that are not in shared memory: sending them in a message would leave a copy for the garbage collector. */
  readonly #free: Uint8Array[] = []
  readonly #wanted: ((slot: Uint8Array) => void)[] = []

  constructor() {
    // This file is TypeScript in a checkout and JavaScript in the package.
    const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
    this.#worker = new Worker(new URL(`./hash-worker${extension}`, import.meta.url), { resourceLimits })
    this.#worker.on('message', (reply: HashReply) => this.#waiting.shift()?.resolve(reply))
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new Error('a hashing thread ended')))
    // Call it last, because adding a listener keeps the process alive again.
    this.#worker.unref()
    const memory = new SharedArrayBuffer(slots * slotBytes)
    for (let slot = 0; slot < slots; slot += 1) {
      this.#free.push(new Uint8Array(memory, slot * slotBytes, slotBytes))
    }
  }

  /** Throws when the thread has ended. */
  ask(request: HashRequest): Promise<HashReply> {
    if (!this.isAlive) return Promise.reject(new Error('a hashing thread ended'))
    const { promise, resolve, reject } = Promise.withResolvers<HashReply>()
    this.#waiting.push({ resolve, reject })
    this.#worker.postMessage(request)
    return promise
  }

  /** Resolves when the bytes are queued for the thread. */
  async post(upload: Omit<HashRequest, 'step'>, bytes: Uint8Array): Promise<Posted> {
    if (bytes.buffer instanceof SharedArrayBuffer) return { done: this.ask({ ...upload, step: bytes }) }
    for (let start = 0; start < bytes.byteLength; start += slotBytes) {
      const slot = await this.#takeSlot()
      const part = bytes.subarray(start, start + slotBytes)
      slot.set(part)
      const release = (): void => this.#giveSlot(slot)
      // A thread that has ended rejects the last request too.
      this.ask({ ...upload, step: slot.subarray(0, part.byteLength) }).then(release, release)
    }
    return { done: Promise.resolve() }
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }

  async #takeSlot(): Promise<Uint8Array> {
    const free = this.#free.pop()
    return free ?? new Promise<Uint8Array>((resolve) => void this.#wanted.push(resolve))
  }

  #giveSlot(slot: Uint8Array): void {
    const next = this.#wanted.shift()
    if (next === undefined) this.#free.push(slot)
    else next(slot)
  }

  #fail(error: unknown): void {
    this.isAlive = false
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}
