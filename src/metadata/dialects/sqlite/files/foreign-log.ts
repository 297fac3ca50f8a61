/**
 * Detects a log (`-wal`) next to a database that it does not belong to, such as an older copy that was restored after a crash.
 * SQLite replays it without a check: the file is damaged and the log is lost.
 */
import { stat } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { MetadataUnavailable } from '../../../errors.ts'
import { retryWhileBusy } from '../busy.ts'
import { fatalKindOf, isBusy, translateSqliteError } from '../errors.ts'

/** The most bytes that are checked. A larger database would delay the start too long; `lading doctor` checks all of it. */
const maxCheckedBytes = 256 * 1024 * 1024

/**
 * Reads the database together with the log of the last process. Changes neither, because a read-only connection replays
 * nothing into the file. Throws `MetadataUnavailable` if the log belongs to another installation or does not match the
 * database. Other faults are left for the next connection to report.
 */
export async function refuseForeignLog(file: string): Promise<void> {
  const [size, logSize] = await Promise.all([sizeOf(file), sizeOf(`${file}-wal`)])
  if (size === 0 || logSize === 0) return
  const fault = await retryWhileBusy(() => findFault(file, { isRead: size <= maxCheckedBytes }))
  if (fault === undefined) return
  throw new MetadataUnavailable(
    `${file} and its log ${file}-wal do not belong together or are damaged (${fault}); put both original files back, or move both away and restore a backup with lading restore --database-only; nothing was changed`,
    { retryable: false },
  )
}

/** Returns the reason why the two do not belong together, or `undefined`. */
function findFault(file: string, { isRead }: { readonly isRead: boolean }): string | undefined {
  const own = findOwnInstallation(file)
  try {
    using database = new DatabaseSync(file, { readOnly: true, timeout: 0 })
    const withLog = readInstallation(database)
    if (own !== undefined && withLog !== own) return 'the log belongs to another installation'
    if (!isRead) return undefined
    const row = database.prepare('pragma quick_check(1)').get()
    const found = String(row?.['quick_check'] ?? '')
    // The first line is only the name of the database.
    return found === 'ok'
      ? undefined
      : found.replace(/^\*\*\* in database main \*\*\*\n/, '').split('\n', 1)[0]
  } catch (error) {
    if (isBusy(translateSqliteError(error))) throw translateSqliteError(error)
    return fatalKindOf(error) === 'damage' && error instanceof Error ? error.message : undefined
  }
}

/**
 * Returns the installation id in the file without its log, or `undefined` if the file alone cannot be read, for instance
 * because everything is still in the log.
 */
function findOwnInstallation(file: string): string | undefined {
  const alone = pathToFileURL(file)
  alone.searchParams.set('immutable', '1')
  try {
    using database = new DatabaseSync(alone, { readOnly: true })
    return readInstallation(database)
  } catch {
    // An interrupted checkpoint leaves a file that is complete only with its log.
    return undefined
  }
}

function readInstallation(database: DatabaseSync): string | undefined {
  const id = database.prepare('select id from installation').get()?.['id']
  return typeof id === 'string' ? id : undefined
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined)
  return found?.size ?? 0
}
