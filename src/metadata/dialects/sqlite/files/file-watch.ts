/**
 * Detects that the files of the database are no longer the ones that were opened, or that another database was copied into them.
 * A process can write to and sync a deleted file that it has open, but the data is lost when the process ends. The watch checks
 * only names (`stat`), because closing any descriptor of the database file would drop SQLite's locks.
 */
import { stat } from 'node:fs/promises'
import { systemTimers, type Timers } from '../../../../lib/timers.ts'
import { MetadataUnavailable } from '../../../errors.ts'

export interface FileWatchDeps {
  /** The database file, or a link to it. */
  readonly file: string
  /** The file itself, if `file` is a link. The files `-wal` and `-shm` next to it are watched as well. Default: `file`. */
  readonly target?: string
  /** Returns the size of all pages, in the file and in the log. Called only after the file has shrunk. */
  readonly readSizeBytes: () => Promise<number>
  /** Returns why the content of the file is not the expected one; `undefined` if it is, or if it cannot be read now. */
  readonly findForeign?: () => Promise<string | undefined>
  readonly onLost: (error: MetadataUnavailable) => void
  /** Default: the timers of the process. */
  readonly timers?: Timers | undefined
}

interface Identity {
  readonly dev: bigint
  readonly ino: bigint
  readonly size: bigint
}

// Until the loss is noticed, writes to a deleted file are acknowledged. A check of the three names takes about 0.1 ms.
const checkIntervalMs = 250

/** Watches the files of a database; the caller has them open. */
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

  /** Remembers the files behind the names and starts to check them. Throws if a file is already missing. */
  async start(): Promise<void> {
    for (const path of this.#paths) this.#opened.set(path, await stat(path, { bigint: true }))
    this.#schedule()
  }

  /** Checks each file once; calls `onLost` for the first that is not the one that was opened. */
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
    this.#cancelTimer = timers.after(checkIntervalMs, () => void this.look().finally(() => this.#schedule()))
  }

  /** Describes what happened to the file, or returns `undefined` if it is the one that was opened. */
  async #judge(path: string, found: Identity | undefined): Promise<string | undefined> {
    if (found === undefined) return `${path} was removed while the registry used it`
    const opened = this.#opened.get(path)
    if (opened?.dev !== found.dev || opened.ino !== found.ino) {
      return `${path} was replaced by another file while the registry used it`
    }
    this.#opened.set(path, found)
    // SQLite itself truncates the other two.
    if (path !== this.#deps.file || found.size >= opened.size) return undefined
    const sizeBytes = await this.#deps.readSizeBytes().catch(() => Number.POSITIVE_INFINITY)
    // A `vacuum` by another program shrinks the file too, but leaves it as large as its pages.
    if (sizeBytes <= found.size) return undefined
    return `${path} was cut from ${opened.size} to ${found.size} bytes while the registry used it`
  }
}

const advice =
  'the last writes may be lost. Put the original files back (lading.db, lading.db-wal, lading.db-shm), or move any that remain away and restore the database with lading restore --database-only; then restart'

/** Returns `undefined` if the file does not exist, and `unknown` if the disk does not answer: queries will notice that. */
async function findIdentity(path: string): Promise<Identity | undefined | 'unknown'> {
  try {
    return await stat(path, { bigint: true })
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : 'unknown'
  }
}
