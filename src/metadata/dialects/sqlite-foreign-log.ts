/**
 * A log (`-wal`) beside a database that it does not belong to, such as an older copy that somebody put in place after a crash.
 * SQLite replays it without a question, and the result is a damaged file that has lost the log.
 */
import { stat } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { MetadataUnavailable } from '../errors.ts'
import { retryWhileBusy } from './sqlite-busy.ts'
import { translateSqliteError } from './sqlite-errors.ts'

/** Reading a larger one would delay the start too long; `lading doctor` reads it whole. */
const mostCheckedBytes = 256 * 1024 * 1024

/**
 * Reads the database together with the log that the last process left, and changes neither: a connection that only reads
 * replays nothing into the file. Throws `MetadataUnavailable` when the two make a damaged database.
 */
export async function refuseForeignLog(file: string): Promise<void> {
  const [size, logSize] = await Promise.all([sizeOf(file), sizeOf(`${file}-wal`)])
  if (size === 0 || size > mostCheckedBytes || logSize === 0) return
  const fault = await retryWhileBusy(() => findFault(file))
  if (fault === undefined) return
  throw new MetadataUnavailable(
    `${file} and its log ${file}-wal make a damaged database (${fault}); put both original files back, or move both away and restore a backup with lading restore --database-only; nothing was changed`,
    { retryable: false },
  )
}

/** What SQLite finds first; `undefined` when the database is whole. */
function findFault(file: string): string | undefined {
  try {
    using database = new DatabaseSync(file, { readOnly: true, timeout: 0 })
    const row = database.prepare('pragma quick_check(1)').get()
    const found = String(row?.['quick_check'] ?? '')
    return found === 'ok' ? undefined : found.split('\n', 1)[0]
  } catch (error) {
    const translated = translateSqliteError(error)
    if (translated instanceof MetadataUnavailable && translated.retryable) throw translated
    return error instanceof Error ? error.message : String(error)
  }
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined)
  return found?.size ?? 0
}
