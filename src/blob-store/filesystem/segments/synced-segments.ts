/**
 * The sizes at which writers of this process left their segments, with every byte synced. A commit of exactly that size needs no
 * sync of its own. Code that opens a segment again must remove its size first.
 */
import { Lru } from '../../../lib/memory/lru.ts'

const entryBytes = 300
const maxBytes = 1024 * 1024

export class SyncedSegments {
  readonly #sizes = new Lru<string, number>({ maxBytes })

  /** Records that the file at `path` has `size` bytes, all durable, and that no writer of this process has it open. */
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
