/**
 * Whole SQLite files: the consistent copy of a database that others write to, and the file that takes a database's
 * place. A file that some connection has open is touched through SQLite only, see `sqlite.ts`.
 */
import { open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { retryWhileBusy } from './busy.ts'
import { translateSqliteError } from './errors.ts'

export interface CopySqliteOptions {
  readonly file: string
  /** Must not exist. */
  readonly target: string
  readonly onProgress?: ((pages: { copied: number; total: number }) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

// 1 MiB at a time, on a thread of the pool.
const pagesPerStep = 256

/**
 * Copies what is committed when it begins, on a connection of its own. An open read transaction keeps that state: without
 * it SQLite begins again after each commit of another connection, which never ends beside a busy server.
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

/** Empties the tables, and leaves one file without a log that is read without being written to. */
export async function sealSqliteFile(file: string, emptied: readonly string[]): Promise<void> {
  {
    using database = new DatabaseSync(file)
    for (const table of emptied) database.exec(`delete from ${table}`)
    database.exec('pragma journal_mode = delete')
  }
  await syncPath(file)
}

/**
 * Whether the file is missing, or empty as a crash or an operator may leave it. Opening it makes a new database, into which
 * SQLite would replay a log that lies beside it.
 */
export async function isNewSqliteFile(file: string): Promise<boolean> {
  try {
    return (await stat(file)).size === 0
  } catch (error) {
    if (isAbsent(error)) return true
    throw error
  }
}

/** Whether some process has the database open; call it without a connection of this process. */
export async function isSqliteFileInUse(file: string): Promise<boolean> {
  return !(await isNewSqliteFile(file)) && (await exists(`${file}-wal`))
}

/**
 * Puts `draft` in the place of `file`, durably and in one step. What is left of a log beside the lost database is kept
 * under another name: SQLite would replay it into the new one.
 */
export async function replaceSqliteDatabase(draft: string, file: string): Promise<void> {
  if (await exists(`${draft}-wal`)) throw new Error(`${draft} is still open: a part of it is in its log`)
  await syncPath(draft)
  for (const suffix of ['-wal', '-shm', '-journal']) {
    const left = `${file}${suffix}`
    if (await exists(left)) await rename(left, await findFreeName(`${left}.before-restore`))
  }
  await syncPath(dirname(file))
  await rename(draft, file)
  await syncPath(dirname(file))
}

/** Removes a draft with what belongs to it; nobody has it open. */
export async function removeSqliteFile(file: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(`${file}${suffix}`, { force: true })
}

/** An earlier restore may have kept a log too. */
async function findFreeName(path: string): Promise<string> {
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? path : `${path}.${count}`
    if (!(await exists(name))) return name
  }
}

/** It holds password hashes and signing keys. */
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
