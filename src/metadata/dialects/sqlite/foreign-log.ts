/**
 * A log (`-wal`) beside a database that it does not belong to, such as an older copy that somebody put in place after a crash.
 * SQLite replays it without a question, and the result is a damaged file that has lost the log.
 */
import { stat } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { MetadataUnavailable } from '../../errors.ts'
import { retryWhileBusy } from './busy.ts'
import { fatalKindOf, isBusy, translateSqliteError } from './errors.ts'

/** Reading a larger one would delay the start too long; `lading doctor` reads it whole. */
const mostCheckedBytes = 256 * 1024 * 1024

/**
 * Reads the database together with the log that the last process left, and changes neither: a connection that only reads
 * replays nothing into the file. Throws `MetadataUnavailable` when the log is of another installation, or makes the database
 * a damaged one. What else keeps them from being read is for the connection that opens next to say.
 */
export async function refuseForeignLog(file: string): Promise<void> {
  const [size, logSize] = await Promise.all([sizeOf(file), sizeOf(`${file}-wal`)])
  if (size === 0 || logSize === 0) return
  const fault = await retryWhileBusy(() => findFault(file, { isRead: size <= mostCheckedBytes }))
  if (fault === undefined) return
  throw new MetadataUnavailable(
    `${file} and its log ${file}-wal do not belong together or are damaged (${fault}); put both original files back, or move both away and restore a backup with lading restore --database-only; nothing was changed`,
    { retryable: false },
  )
}

/** What shows that the two do not belong together; `undefined` when nothing does. */
function findFault(file: string, { isRead }: { readonly isRead: boolean }): string | undefined {
  const own = findOwnInstallation(file)
  try {
    using database = new DatabaseSync(file, { readOnly: true, timeout: 0 })
    const withLog = readInstallation(database)
    if (own !== undefined && withLog !== own) return 'the log is of another installation'
    if (!isRead) return undefined
    const row = database.prepare('pragma quick_check(1)').get()
    const found = String(row?.['quick_check'] ?? '')
    // The first line only names the database.
    return found === 'ok'
      ? undefined
      : found.replace(/^\*\*\* in database main \*\*\*\n/, '').split('\n', 1)[0]
  } catch (error) {
    if (isBusy(translateSqliteError(error))) throw translateSqliteError(error)
    return fatalKindOf(error) === 'damage' && error instanceof Error ? error.message : undefined
  }
}

/** Of the file without its log. `undefined` when that alone says nothing, as while all of it is in the log. */
function findOwnInstallation(file: string): string | undefined {
  const alone = pathToFileURL(file)
  alone.searchParams.set('immutable', '1')
  try {
    using database = new DatabaseSync(alone, { readOnly: true })
    return readInstallation(database)
  } catch {
    // A checkpoint that was cut off leaves a file that only its log completes.
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
