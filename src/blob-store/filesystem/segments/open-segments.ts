/**
 * The segment files that a writer of this process has open or is opening. A commit does not rename such a file: a write that
 * hangs in the disk would still reach it under its new name.
 */
export class OpenSegments {
  readonly #writers = new Map<string, number>()

  /** Counts a writer. Call it before opening the file. */
  enter(path: string): void {
    this.#writers.set(path, (this.#writers.get(path) ?? 0) + 1)
  }

  /** Removes a writer. Call it after the descriptor is closed, or after opening failed. */
  leave(path: string): void {
    const left = (this.#writers.get(path) ?? 0) - 1
    if (left > 0) this.#writers.set(path, left)
    else this.#writers.delete(path)
  }

  has(path: string): boolean {
    return this.#writers.has(path)
  }
}
