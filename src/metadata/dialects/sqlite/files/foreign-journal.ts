/**
 * Detects a rollback journal (`-journal`) next to a database that it does not belong to. SQLite plays it back at the first read:
 * old pages replace new ones, the file is truncated to its former size, and the journal is deleted.
 */
import { open, stat, type FileHandle } from 'node:fs/promises'
import { MetadataUnavailable } from '../../../errors.ts'

/** https://www.sqlite.org/fileformat.html#the_rollback_journal */
const magic = Buffer.from('d9d505f920a163d7', 'hex')
const headerBytes = 28
/** The bytes of a record in addition to its page: a page number and a checksum. */
const recordBytes = 8

/**
 * Throws `MetadataUnavailable` for a journal that would change the database. A registry writes into its log. It leaves a
 * journal only when it is killed while it switches to the log, and that journal has no page but the first. Changes
 * nothing.
 */
export async function refuseForeignJournal(file: string): Promise<void> {
  const journal = `${file}-journal`
  const found = await readJournal(journal)
  if (found === undefined || (await isFromSwitch(file, found))) return
  throw new MetadataUnavailable(
    `${journal} would replace pages of ${file}, and was not written by a registry; if it belongs to this file (another program was changing the file when it ended), open the file once with sqlite3, otherwise move the journal away; nothing was changed`,
    { retryable: false },
  )
}

interface Journal {
  readonly size: number
  /** The pages of the database before the transaction. */
  readonly pages: number
  readonly sectorBytes: number
  readonly pageBytes: number
}

/** Reads the header of the journal; `undefined` if SQLite would not play it back. */
async function readJournal(path: string): Promise<Journal | undefined> {
  const handle = await openIfThere(path)
  if (handle === undefined) return undefined
  await using _ = handle
  const stats = await handle.stat()
  if (!stats.isFile()) return undefined
  const header = Buffer.alloc(headerBytes)
  const { bytesRead } = await handle.read(header, 0, headerBytes, 0)
  if (bytesRead < headerBytes || !header.subarray(0, magic.byteLength).equals(magic)) return undefined
  return {
    size: stats.size,
    pages: header.readUInt32BE(16),
    sectorBytes: header.readUInt32BE(20),
    pageBytes: header.readUInt32BE(24),
  }
}

async function isFromSwitch(file: string, journal: Journal): Promise<boolean> {
  const { size, pages, sectorBytes, pageBytes } = journal
  if (size > sectorBytes + pageBytes + recordBytes) return false
  const found = await stat(file).catch(() => undefined)
  const presentPages = Math.ceil((found?.size ?? 0) / pageBytes)
  // The switch to the log writes the first page of a new database.
  return presentPages === pages || presentPages <= 1
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
