/**
 * Lends buffers of two sizes, so that streaming neither allocates per read nor grows without bound. Large buffers are shared
 * memory, which threads read in place, and are lent within a budget. Small buffers are always lent, so that every transfer can
 * start.
 */
export interface BufferPoolOptions {
  readonly smallBytes: number
  readonly largeBytes: number
  /** Large buffers are lent only while the total size of all lent buffers stays within this limit. */
  readonly budgetBytes: number
  /** How much stays allocated while unused. */
  readonly maxIdleBytes: number
}

const kibibyte = 1024
const mebibyte = 1024 * kibibyte

/**
 * Reads of 512 KiB reach the speed of the page cache. 28 MiB is 56 buffers, two for each of 28 fast transfers; with them 200 slow
 * transfers stay below 300 MiB of the process (docs/proof/2026-11-22-memory.md).
 */
export const defaultBufferPoolOptions: BufferPoolOptions = {
  smallBytes: 64 * kibibyte,
  largeBytes: 512 * kibibyte,
  budgetBytes: 28 * mebibyte,
  maxIdleBytes: 8 * mebibyte,
}

export class BufferPool {
  readonly #options: BufferPoolOptions
  readonly #idleSmall: Uint8Array[] = []
  readonly #idleLarge: Uint8Array[] = []
  #lentBytes = 0
  #idleBytes = 0

  constructor(options: BufferPoolOptions = defaultBufferPoolOptions) {
    this.#options = options
  }

  get lentBytes(): number {
    return this.#lentBytes
  }

  get idleBytes(): number {
    return this.#idleBytes
  }

  get smallBytes(): number {
    return this.#options.smallBytes
  }

  /** Lends a buffer with undefined contents. */
  lendSmall(): Uint8Array {
    return this.#lend(this.#idleSmall, this.#options.smallBytes)
  }

  /** Lends a buffer, or returns `undefined` if the budget has no room. */
  lendLarge(): Uint8Array | undefined {
    const { largeBytes, budgetBytes } = this.#options
    if (this.#lentBytes + largeBytes > budgetBytes) return undefined
    return this.#lend(this.#idleLarge, largeBytes)
  }

  /** Takes back a buffer that nothing reads or writes any more. */
  giveBack(buffer: Uint8Array): void {
    this.forget(buffer)
    if (this.#idleBytes + buffer.byteLength > this.#options.maxIdleBytes) return
    this.#idleBytes += buffer.byteLength
    this.#idleOf(buffer).push(buffer)
  }

  /** Abandons a buffer that may still be in use: it no longer counts as lent and is never lent again. */
  forget(buffer: Uint8Array): void {
    this.#lentBytes -= buffer.byteLength
  }

  #lend(idle: Uint8Array[], bytes: number): Uint8Array {
    this.#lentBytes += bytes
    const buffer = idle.pop()
    if (buffer === undefined) return this.#allocate(bytes)
    this.#idleBytes -= bytes
    return buffer
  }

  /** Small buffers are not shared memory: 200 slow transfers hold them, and shared memory is released later. */
  #allocate(bytes: number): Uint8Array {
    if (bytes === this.#options.largeBytes) return new Uint8Array(new SharedArrayBuffer(bytes))
    // Not `allocUnsafe`: its slices share a slab that one slow holder would keep alive.
    return Buffer.allocUnsafeSlow(bytes)
  }

  #idleOf(buffer: Uint8Array): Uint8Array[] {
    return buffer.byteLength === this.#options.largeBytes ? this.#idleLarge : this.#idleSmall
  }
}
