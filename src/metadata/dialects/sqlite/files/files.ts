/**
 * Copies and replaces whole SQLite files: consistent copies of databases in use, and a restored file in place of a
 * database. A file that some connection has open is accessed only through SQLite, see `sqlite.ts`.
 */
import { open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { retryWhileBusy } from '../busy.ts'
import { translateSqliteError } from '../errors.ts'

export interface CopySqliteOptions {
  readonly file: string
  /** The path of the copy, which must not exist yet. */
  readonly target: string
  readonly onProgress?: ((pages: { copied: number; total: number }) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

// 1 MiB at a time, on a thread of the pool.
const pagesPerStep = 256

/**
 * Copies the content committed at the start, on a separate connection. An open read transaction preserves that state.
 * Without it, SQLite starts over after each commit of another connection, and the copy of a busy database never ends.
 */
export async function copySqliteDatabase(options: CopySqliteOptions): Promise<void> {
  const { file, target, onProgress, signal } = options
  await createPrivateFile(target)
  using source = new DatabaseSync(file, { readOnly: true, timeout: 0 })
  await retryWhileBusy(() => translated(() => beginRead(source)))
  await backup(source, target, {
    rate: pagesPerStep,
    progress: ({ totalPages, remainingPages }) => {
      signal?.throwIfAborted()
      onProgress?.({ copied: totalPages - remainingPages, total: totalPages })
    },
  })
  source.exec('rollback')
}

function beginRead(source: DatabaseSync): void {
  if (!source.isTransaction) source.exec('begin')
  source.prepare('select count(*) from sqlite_schema').get()
}

function translated<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw translateSqliteError(error)
  }
}

/** Empties the tables and leaves a single file without a log, which can be read without being written to. */
export async function sealSqliteFile(file: string, emptied: readonly string[]): Promise<void> {
  {
    using database = new DatabaseSync(file)
    for (const table of emptied) database.exec(`delete from ${table}`)
    database.exec('pragma journal_mode = delete')
  }
  await syncPath(file)
}

/**
 * Whether the file is missing, or empty, as a crash or an operator may leave it. Opening it creates a new database, into which
 * SQLite would replay a log next to it.
 */
export async function isNewSqliteFile(file: string): Promise<boolean> {
  try {
    return (await stat(file)).size === 0
  } catch (error) {
    if (isAbsent(error)) return true
    throw error
  }
}

/** Whether a process has the database open. Call it only while this process has no connection. */
export async function isSqliteFileInUse(file: string): Promise<boolean> {
  return !(await isNewSqliteFile(file)) && (await exists(`${file}-wal`))
}

/**
 * Replaces `file` with `draft`, durably and atomically. The remains of a log next to the lost database are kept under another
 * name, because SQLite would replay them into the new one.
 */
export async function replaceSqliteDatabase(draft: string, file: string): Promise<void> {
  if (await exists(`${draft}-wal`))
    throw new Error(`${draft} is still open, and part of its data is only in its log; close it first`)
  await syncPath(draft)
  for (const suffix of ['-wal', '-shm', '-journal']) {
    const left = `${file}${suffix}`
    if (await exists(left)) await rename(left, await findFreeName(`${left}.before-restore`))
  }
  await syncPath(dirname(file))
  await rename(draft, file)
  await syncPath(dirname(file))
}

/** Removes a draft and the files next to it. No process may have it open. */
export async function removeSqliteFile(file: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(`${file}${suffix}`, { force: true })
}

/** Returns a name that is free: an earlier restore may have kept a log too. */
async function findFreeName(path: string): Promise<string> {
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? path : `${path}.${count}`
    if (!(await exists(name))) return name
  }
}

/** Creates the file with mode 0600, because it contains password hashes and signing keys. */
async function createPrivateFile(file: string): Promise<void> {
  await using _created = await open(file, 'wx', 0o600)
}

async function syncPath(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}
