/** Copies the metadata of one moment to a SQLite file, from either database. */
import { sql } from 'kysely'
import type { Clock } from '../../lib/clock.ts'
import { openSqliteMetadata } from '../dialects/sqlite/sqlite.ts'
import { copySqliteDatabase, sealSqliteFile } from '../dialects/sqlite/files/files.ts'
import type { Reader } from '../handles.ts'
import type { Metadata } from '../metadata.ts'
import { createReader, databaseOf } from '../sql/database.ts'
import { copyTables } from './copy-tables.ts'
import { transientTables } from './tables.ts'

export interface TakeSnapshotOptions {
  readonly metadata: Metadata
  /** The database file, if the metadata is in SQLite. */
  readonly file: string
  /** The file to create, which must not exist yet. */
  readonly target: string
  readonly clock: Clock
  readonly onProgress?: ((done: string) => void) | undefined
  readonly signal: AbortSignal
}

/**
 * Copies the state committed at the start while other processes write. The file has no log next to it. The database must have
 * this version's schema. Throws `MetadataUnavailable`, `MetadataFull`, errors of the file system, and the reason of the signal.
 */
export async function takeSnapshot(options: TakeSnapshotOptions): Promise<void> {
  const { metadata, file, target, signal, onProgress } = options
  if (metadata.dialect === 'sqlite') {
    await copySqliteDatabase({
      file,
      target,
      signal,
      onProgress: ({ copied, total }) => onProgress?.(`${copied} of ${total} pages of the database`),
    })
  } else await copyPostgres(options)
  await sealSqliteFile(target, transientTables)
}

async function copyPostgres({
  metadata,
  target,
  clock,
  signal,
  onProgress,
}: TakeSnapshotOptions): Promise<void> {
  const faults: unknown[] = []
  await using copy = await openSqliteMetadata({
    file: target,
    clock,
    onFatal: (error) => void faults.push(error),
  })
  await readSnapshot(metadata, (reader) =>
    copyTables(reader, {
      write: (work) => {
        signal.throwIfAborted()
        return copy.transact(work, { durable: false })
      },
      onProgress: (rows) => onProgress?.(`${rows} rows of the database`),
    }),
  )
  await copy.flush()
  if (faults.length > 0) throw faults[0]
}

/** Runs `work` with one state of the database for all its queries, without locks. */
async function readSnapshot(metadata: Metadata, work: (reader: Reader) => Promise<void>): Promise<void> {
  const database = databaseOf(metadata.reader)
  await database.kysely.transaction().execute(async (kysely) => {
    await sql`set transaction isolation level repeatable read, read only`.execute(kysely)
    await work(createReader({ ...database, kysely }))
  })
}
