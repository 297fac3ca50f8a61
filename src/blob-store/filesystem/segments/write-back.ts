/**
 * Sends written bytes to the disk while more arrive, so that the final sync is short. Measured with uploads of 512 MiB on two
 * busy cores, medians of 7: 0.79 GB/s and a final sync of 166 ms without it, 0.95 GB/s and 4 ms at every 8 MiB, 1.01 and 13 at
 * 32, 0.83 and 44 at 128. The interval is 8 MiB because sessions also sync before they end.
 */
import { syncData } from '../files/file-io.ts'

const intervalBytes = 8 * 1024 * 1024

export class WriteBack {
  readonly #fd: number
  #running: Promise<void> | undefined
  #writtenSince = 0
  #failure: { readonly error: unknown } | undefined

  constructor(fd: number) {
    this.#fd = fd
  }

  /** Counts written bytes. Call it after each write that the system has accepted. */
  noteWritten(bytes: number): void {
    this.#writtenSince += bytes
    if (this.#writtenSince < intervalBytes || this.#running !== undefined) return
    this.#writtenSince = 0
    this.#running = this.#run()
  }

  /** The system reports a lost write to one sync only, so an error here must reach the next caller that asks for durability. */
  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Resolves when no background sync uses the descriptor; never rejects. */
  async settle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    try {
      await syncData(this.#fd)
    } catch (error) {
      this.#failure ??= { error }
    } finally {
      this.#running = undefined
    }
  }
}
