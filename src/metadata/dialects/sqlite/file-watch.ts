/**
 * Notices that the files of the database are no longer those that were opened, or that another database was copied into them. A process that has a deleted file
 * open can write to it and sync it, and nothing of it is left after the end of the process. Only names are looked at (`stat`),
 * because closing any descriptor of the database file would drop SQLite's locks.
 */
import { stat } from 'node:fs/promises'
import { systemTimers, type Timers } from '../../../lib/timers.ts'
import { MetadataUnavailable } from '../../errors.ts'

export interface FileWatchDeps {
  /** The database file, or a link to it. */
  readonly file: string
  /** The file itself, where `file` is a link; `-wal` and `-shm` beside it are watched as well. Default: `file`. */
  readonly target?: string
  /** Pages of the database, whether in the file or still in the log; asked only after the file has shrunk. */
  readonly readSizeBytes: () => Promise<number>
  /** Says what is wrong with the content of the file; `undefined` if nothing is, or if it cannot be read now. */
  readonly findForeign?: () => Promise<string | undefined>
  readonly onLost: (error: MetadataUnavailable) => void
  /** By default those of the process. */
  readonly timers?: Timers | undefined
}

interface Identity {
  readonly dev: bigint
  readonly ino: bigint
  readonly size: bigint
}

// Until it is noticed, what is written to a deleted file is acknowledged. Three looks at a name cost some 0.1 ms.
const lookEveryMs = 250

/** The one who makes it holds the files open by then. */
export class FileWatch implements Disposable {
  readonly #deps: FileWatchDeps
  readonly #paths: readonly string[]
  readonly #opened = new Map<string, Identity>()
  #cancelTimer: (() => void) | undefined
  #isOver = false

  constructor(deps: FileWatchDeps) {
    this.#deps = deps
    const { file, target = file } = deps
    this.#paths = [file, `${target}-wal`, `${target}-shm`]
  }

  /** Remembers what the names stand for now and looks again and again. Throws when a file is missing already. */
  async start(): Promise<void> {
    for (const path of this.#paths) this.#opened.set(path, await stat(path, { bigint: true }))
    this.#schedule()
  }

  /** One look at each file; calls `onLost` at the first that is not what was opened. */
  async look(): Promise<void> {
    for (const path of this.#paths) {
      const found = await findIdentity(path)
      if (this.#isOver) return
      const lost = found === 'unknown' ? undefined : await this.#judge(path, found)
      if (lost !== undefined) return this.#report(lost)
    }
    const foreign = await this.#deps.findForeign?.()
    if (foreign !== undefined && !this.#isOver) this.#report(foreign)
  }

  #report(lost: string): void {
    this[Symbol.dispose]()
    this.#deps.onLost(new MetadataUnavailable(`${lost}; ${advice}`, { retryable: false }))
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    this.#cancelTimer?.()
  }

  #schedule(): void {
    if (this.#isOver) return
    const { timers = systemTimers } = this.#deps
    this.#cancelTimer = timers.after(lookEveryMs, () => void this.look().finally(() => this.#schedule()))
  }

  /** Says what happened to the file, or returns `undefined` when it is the one that was opened. */
  async #judge(path: string, found: Identity | undefined): Promise<string | undefined> {
    if (found === undefined) return `${path} was removed while the registry used it`
    const opened = this.#opened.get(path)
    if (opened?.dev !== found.dev || opened.ino !== found.ino) {
      return `${path} was replaced by another file while the registry used it`
    }
    this.#opened.set(path, found)
    // The other two are cut off by SQLite itself.
    if (path !== this.#deps.file || found.size >= opened.size) return undefined
    const sizeBytes = await this.#deps.readSizeBytes().catch(() => Number.POSITIVE_INFINITY)
    // A `vacuum` from outside shrinks the file too, and leaves it as large as its pages.
    if (sizeBytes <= found.size) return undefined
    return `${path} was cut from ${opened.size} to ${found.size} bytes while the registry used it`
  }
}

const advice =
  'the last writes may be lost. Put the original files back (lading.db, lading.db-wal, lading.db-shm), or move what is left of them away and restore the database with lading restore --database-only; then start again'

/** `undefined`: there is no such file. `unknown`: the disk does not answer, which queries will notice. */
async function findIdentity(path: string): Promise<Identity | undefined | 'unknown'> {
  try {
    return await stat(path, { bigint: true })
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : 'unknown'
  }
}
