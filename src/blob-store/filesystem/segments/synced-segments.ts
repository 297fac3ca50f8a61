/**
 * Sizes at which writers of this process left their segments, every byte synced. A commit of exactly that size needs no
 * sync of its own. Whoever opens a segment again takes its size out of here first.
 */
import { Lru } from '../../../lib/memory/lru.ts'

const entryBytes = 300
const maxBytes = 1024 * 1024

export class SyncedSegments {
  readonly #sizes = new Lru<string, number>({ maxBytes })

  /** The file at `path` has `size` bytes, all of them durable, and nobody here writes it any more. */
  add(path: string, size: number): void {
    this.#sizes.set(path, size, entryBytes)
  }

  sizeOf(path: string): number | undefined {
    return this.#sizes.get(path)
  }

  forget(path: string): void {
    this.#sizes.delete(path)
  }
}
