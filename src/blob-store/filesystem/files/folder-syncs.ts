/** Shares fsyncs of folders: regardless of how many callers wait for a folder, one fsync runs and one more is queued. */
import { syncFolder } from './file-io.ts'

interface Line {
  readonly running: Promise<void>
  next: Promise<void> | undefined
}

export class FolderSyncs {
  readonly #lines = new Map<string, Line>()
  readonly #sync: (path: string) => Promise<void>

  constructor(sync: (path: string) => Promise<void> = syncFolder) {
    this.#sync = sync
  }

  /** Resolves when every change of the folder made before the call is durable. */
  sync(path: string): Promise<void> {
    const line = this.#lines.get(path)
    if (line === undefined) return this.#start(path)
    // The running fsync may have started before the caller's change, so only the next one counts.
    line.next ??= line.running.then(
      () => this.#start(path),
      () => this.#start(path),
    )
    return line.next
  }

  #start(path: string): Promise<void> {
    const running = this.#sync(path)
    const line: Line = { running, next: undefined }
    this.#lines.set(path, line)
    const leave = (): void => {
      if (line.next === undefined) this.#lines.delete(path)
    }
    running.then(leave, leave)
    return running
  }
}
