/**
 * Reads manifests that are not in memory. Requests for the same content share one read, and the total size of large reads in
 * progress is limited: SQLite answers synchronously, so the bytes per turn of the event loop are limited too.
 */
import { ByteBudget } from '../../lib/memory/byte-budget.ts'
import type { Digest } from '../../oci/digest.ts'
import type { ContentReader } from './manifest-types.ts'

/** One manifest of the largest usual size at a time, or many that are a little larger than most. */
const maxBytesInFlight = 16 * 1024 * 1024
/** Smaller reads do not wait, because they cost less than waiting for a turn; nearly all manifests are smaller. */
const largeBytes = 64 * 1024

interface Content {
  readonly digest: Digest
  /** The size in the manifest's row. */
  readonly size: number
}

export interface ColdReadsOptions {
  /** Reads from the database; returns `undefined` when the content is missing. */
  readonly read: (content: Content) => Promise<Uint8Array | undefined>
  readonly maxBytesInFlight?: number
}

interface Load {
  readonly bytes: Promise<Uint8Array | undefined>
  /** Ends the wait of a load that no client needs any more. */
  readonly abandon: AbortController
  clients: number
}

export class ColdReads {
  readonly #read: ColdReadsOptions['read']
  readonly #budget: ByteBudget
  readonly #loads = new Map<Digest, Load>()

  constructor(options: ColdReadsOptions) {
    this.#read = options.read
    this.#budget = new ByteBudget({ maxBytes: options.maxBytesInFlight ?? maxBytesInFlight })
  }

  /**
   * Returns `undefined` when the content is missing. Throws the reason of the reader's signal when its client disconnects during
   * the wait.
   */
  async read(content: Content, reader: ContentReader): Promise<Uint8Array | undefined> {
    const load = this.#loads.get(content.digest) ?? this.#start(content)
    if (content.size < largeBytes) return load.bytes
    const { signal } = reader
    signal.throwIfAborted()
    const leave = (): void => this.#leave(content.digest, load, signal.reason)
    load.clients += 1
    signal.addEventListener('abort', leave, { once: true })
    try {
      return await load.bytes
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  #start(content: Content): Load {
    const { digest, size } = content
    const abandon = new AbortController()
    const bytes = size < largeBytes ? this.#read(content) : this.#readInTurn(content, abandon.signal)
    const load = { bytes, abandon, clients: 0 }
    this.#loads.set(digest, load)
    const end = (): void => this.#forget(digest, load)
    bytes.then(end, end)
    return load
  }

  async #readInTurn(content: Content, abandoned: AbortSignal): Promise<Uint8Array | undefined> {
    const { size } = content
    if (!this.#budget.tryTake(size)) await this.#budget.wait(size, abandoned)
    try {
      return await this.#read(content)
    } finally {
      // In the next turn of the event loop, so that other requests run in between.
      setImmediate(() => this.#budget.giveBack(size))
    }
  }

  #leave(digest: Digest, load: Load, reason: unknown): void {
    load.clients -= 1
    if (load.clients > 0) return
    this.#forget(digest, load)
    load.abandon.abort(reason)
  }

  #forget(digest: Digest, load: Load): void {
    if (this.#loads.get(digest) === load) this.#loads.delete(digest)
  }
}
