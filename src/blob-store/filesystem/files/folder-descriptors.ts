/**
 * Fsyncs folders of the store through descriptors that stay open: a push syncs two folders per blob, and opening and closing a
 * descriptor costs twice as much as dispatching the sync itself. The layout bounds the number of descriptors: the root, the
 * uploads and the shards.
 */
import { closeFile, openFile, syncFile } from './file-io.ts'

export class FolderDescriptors implements AsyncDisposable {
  readonly #opened = new Map<string, Promise<number>>()
  readonly #running = new Set<Promise<void>>()

  /**
   * Makes the entries of a folder durable: names created, renamed or removed in it. Calls for the same folder must not overlap.
   */
  async sync(path: string): Promise<void> {
    const running = this.#sync(path)
    this.#running.add(running)
    try {
      await running
    } finally {
      this.#running.delete(running)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#running)
    await Promise.all([...this.#opened.keys()].map((path) => this.#forget(path)))
  }

  async #sync(path: string): Promise<void> {
    const opened = this.#opened.get(path) ?? openFile(path, 'r')
    this.#opened.set(path, opened)
    try {
      await syncFile(await opened)
    } catch (error) {
      // The next attempt opens the folder again.
      await this.#forget(path)
      throw error
    }
  }

  async #forget(path: string): Promise<void> {
    const opened = this.#opened.get(path)
    this.#opened.delete(path)
    const fd = await opened?.catch(() => undefined)
    if (fd !== undefined) await closeFile(fd)
  }
}
