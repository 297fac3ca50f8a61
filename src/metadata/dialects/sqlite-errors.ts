/** SQLite's result codes as this folder's errors; https://www.sqlite.org/rescode.html. */
import { Conflict, MetadataFull, MetadataUnavailable } from '../errors.ts'

const primaryCodeMask = 0xff
const full = 13
const constraint = 19
/** busy, locked, and a race for the log's locks */
const passing = new Set([5, 6, 15])
/** out of memory, read-only, I/O error, corrupt, cannot open, no database */
const lasting = new Set([7, 8, 10, 11, 14, 26])
// Growing the shared index file (-shm) without space; for the other files SQLite itself says "full".
const ioErrorSharedMemorySize = 4874
const ioErrorFsync = 1034
const ioErrorDirectoryFsync = 1290

/** What is neither a fault of the database nor of its data (wrong SQL, for instance) passes unchanged. */
export function translateSqliteError(error: unknown): unknown {
  const code = resultCodeOf(error)
  if (code === undefined) return error
  const primary = code & primaryCodeMask
  if (primary === full || code === ioErrorSharedMemorySize) {
    return new MetadataFull('no space left for the SQLite database', { cause: error })
  }
  if (primary === constraint) {
    return new Conflict('the rows it depends on are not as the transaction needs them', { cause: error })
  }
  if (passing.has(primary)) {
    const message = 'another connection keeps the SQLite database busy'
    return new MetadataUnavailable(message, { cause: error, retryable: true })
  }
  if (lasting.has(primary)) {
    const message = 'the SQLite database cannot be read or written'
    return new MetadataUnavailable(message, { cause: error, retryable: false })
  }
  return error
}

/** Of a translated error: waiting a little helps. */
export function isBusy(error: unknown): boolean {
  return error instanceof MetadataUnavailable && error.retryable && resultCodeOf(error.cause) !== undefined
}

/** Of a raw error: bytes that the kernel had taken may be lost, nothing that rests on them may be acknowledged. */
export function isSyncFailure(error: unknown): boolean {
  const code = resultCodeOf(error)
  return code === ioErrorFsync || code === ioErrorDirectoryFsync
}

function resultCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode : undefined
}
