/** Translates SQLite's result codes to this folder's errors; https://www.sqlite.org/rescode.html. */
import { Conflict, MetadataFull, MetadataUnavailable } from '../../errors.ts'
import { messageOf } from '../../../lib/message-of.ts'

const primaryCodeMask = 0xff
const full = 13
const constraint = 19
/** busy, locked, and a race for the log's locks */
const transientCodes = new Set([5, 6, 15])
/** out of memory, read-only, I/O error, corrupt, cannot open, no database */
const permanentCodes = new Set([7, 8, 10, 11, 14, 26])
// No space to grow the shared index file (-shm). For the other files SQLite itself reports "full".
const ioErrorSharedMemorySize = 4874
/** fsync of a file, fsync of a folder */
const syncFailures = new Set([1034, 1290])
/** corrupt, no database */
const damagedPrimary = new Set([11, 26])
/** the file was moved; I/O errors: read, short read, the file's state, checksum, corrupt file system */
const damaged = new Set([1032, 266, 522, 1802, 8202, 8458])

/** Translates faults of the database and its data. Other errors, such as wrong SQL, are returned unchanged. */
export function translateSqliteError(error: unknown): unknown {
  const code = resultCodeOf(error)
  if (code === undefined) return error
  const primary = code & primaryCodeMask
  if (primary === full || code === ioErrorSharedMemorySize) {
    return new MetadataFull('no space is left for the SQLite database', { cause: error })
  }
  if (primary === constraint) {
    return new Conflict('the transaction violates a constraint: rows that it depends on have changed', {
      cause: error,
    })
  }
  if (transientCodes.has(primary)) {
    const message = 'another connection keeps the SQLite database busy'
    return new MetadataUnavailable(message, { cause: error, retryable: true })
  }
  if (permanentCodes.has(primary)) {
    const message = 'the SQLite database cannot be read or written'
    return new MetadataUnavailable(message, { cause: error, retryable: false })
  }
  return error
}

/** Whether a translated error means that a short wait helps. */
export function isBusy(error: unknown): boolean {
  return error instanceof MetadataUnavailable && error.retryable && resultCodeOf(error.cause) !== undefined
}

export type FatalKind = 'sync' | 'damage'

/**
 * Returns how a raw error casts doubt on the content of the database: a failed sync, after which the kernel may have
 * dropped bytes, or pages that are damaged or unreadable. A failed write does not count: its transaction is rolled back,
 * and an exhausted quota looks the same.
 */
export function fatalKindOf(error: unknown): FatalKind | undefined {
  const code = resultCodeOf(error)
  if (code === undefined) return undefined
  if (syncFailures.has(code)) return 'sync'
  return damagedPrimary.has(code & primaryCodeMask) || damaged.has(code) ? 'damage' : undefined
}

/** The advice for a damaged database file. The store next to it is intact, so a restore needs `--database-only`. */
export const damageAdvice =
  'move its files (lading.db, lading.db-wal, lading.db-shm) away, and restore the database with lading restore --database-only'

/** Returns an error that says what happened and what to do. */
export function describeFatal(kind: FatalKind, cause: unknown): MetadataUnavailable {
  const reason = messageOf(cause)
  const message =
    kind === 'sync'
      ? `the database could not be synced to disk (${reason}), so the last writes may be lost; check the disk, then restart`
      : `the database is damaged or cannot be read (${reason}); check the disk and which other programs write to the file, then ${damageAdvice}`
  return new MetadataUnavailable(message, { cause, retryable: false })
}

function resultCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode : undefined
}
