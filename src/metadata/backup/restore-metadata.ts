/** Replaces an empty database with the metadata of a backup, in one step. */
import { sql } from 'kysely'
import type { Clock } from '../../lib/clock.ts'
import { openSqliteMetadata } from '../dialects/sqlite/sqlite.ts'
import {
  isNewSqliteFile,
  isSqliteFileInUse,
  removeSqliteFile,
  replaceSqliteDatabase,
  sealSqliteFile,
} from '../dialects/sqlite/files/files.ts'
import type { Reader, Transaction } from '../handles.ts'
import { findInstallation, setJudgesSince } from '../system/installation.ts'
import type { Metadata } from '../metadata.ts'
import { migrate, readMigrationState } from '../migrations/migrate.ts'
import { removeRowsOfUnlinkedBlobs } from '../content/blobs.ts'
import { kyselyOf } from '../sql/database.ts'
import { listVisibleTables } from '../sql/visible-tables.ts'
import { copyTables } from './copy-tables.ts'
import { copiedTables, transientTables } from './tables.ts'

/** The state of a database before a restore. */
export interface DatabaseState {
  /** Whether there is no database, or one without any row of a registry. */
  readonly isEmpty: boolean
  readonly installation: string | undefined
}

export interface RestoreDatabase {
  /** The place for messages: a path, or the key that names it. */
  readonly place: string
  /** Reads the state; creates nothing. */
  readState(): Promise<DatabaseState>
  /**
   * Fills the empty database with the content of `draft`, or leaves it as it was. Throws `DatabaseTaken` if it is no
   * longer empty. The draft is consumed.
   */
  install(draft: string): Promise<void>
}

/** Another process uses the database that is to be restored. Not a `Conflict`, because a `Conflict` is retried. */
export class DatabaseTaken extends Error {
  override readonly name = 'DatabaseTaken'
}

const databaseWasFilled =
  'another process filled the database during the restore; stop that process, move the database away or empty it, and run the same command again'

function describeOpenFile(file: string): string {
  return `another process has the database ${file} open; stop that process and run the same command again`
}

/** Upgrades the file to this version's schema and removes state that a restored registry must not continue with. */
export async function prepareDraft(draft: string, clock: Clock): Promise<void> {
  {
    await using metadata = await openDraft(draft, clock)
    await metadata.transact((tx) => settleRestored(tx, clock.now()))
  }
  // Leaves no log, so that the file can be moved as a whole.
  await sealSqliteFile(draft, [])
}

/** Makes the restored database judge only content that is at least as new as `since`. */
export async function setDraftJudgesSince(draft: string, since: number, clock: Clock): Promise<void> {
  {
    await using metadata = await openDraft(draft, clock)
    await metadata.transact((tx) => setJudgesSince(tx, since))
  }
  await sealSqliteFile(draft, [])
}

/** Adjusts the rows of a restored database; nothing else changes them. */
async function settleRestored(tx: Transaction, now: number): Promise<void> {
  for (const table of transientTables) await sql`delete from ${sql.table(table)}`.execute(kyselyOf(tx))
  // The collector would delete the bytes of unlinked blobs, which a newer database may have linked since. Without a row
  // the bytes stay.
  await removeRowsOfUnlinkedBlobs(tx)
  // The store may hold blobs that are newer than the snapshot.
  await setJudgesSince(tx, now)
}

export function sqliteRestoreDatabase(file: string, clock: Clock): RestoreDatabase {
  return {
    place: file,
    async readState() {
      if (await isNewSqliteFile(file)) return { isEmpty: true, installation: undefined }
      await using metadata = await openSqliteMetadata({ file, clock, onFatal: ignoreFatal, upgrade: false })
      return await readStateOf(metadata.reader)
    },
    async install(draft) {
      const { isEmpty } = await this.readState()
      if (!isEmpty) throw new DatabaseTaken(databaseWasFilled)
      // SQLite removes the log when the last connection closes, so a log means that another process has the file open.
      if (await isSqliteFileInUse(file)) throw new DatabaseTaken(describeOpenFile(file))
      await replaceSqliteDatabase(draft, file)
    },
  }
}

export function postgresRestoreDatabase(metadata: Metadata, clock: Clock): RestoreDatabase {
  return {
    place: 'of metadata.url',
    readState: () => readStateOf(metadata.reader),
    async install(draft) {
      await metadata.transact((tx) => migrate(tx, clock.now()))
      {
        await using source = await openDraft(draft, clock)
        await metadata.transact(async (tx) => {
          // A writer that arrives in the meantime waits, and then finds the restored rows.
          await sql`lock table installation in exclusive mode`.execute(kyselyOf(tx))
          const { isEmpty } = await readStateOf(tx)
          if (!isEmpty) throw new DatabaseTaken(databaseWasFilled)
          await copyTables(source.reader, { write: (work) => work(tx) })
        })
      }
      await removeSqliteFile(draft)
    },
  }
}

async function readStateOf(db: Reader): Promise<DatabaseState> {
  const { applied } = await readMigrationState(db)
  if (applied.length === 0) return { isEmpty: true, installation: undefined }
  const installation = await findInstallation(db)
  return { isEmpty: installation === undefined && (await hasNoRows(db)), installation }
}

async function hasNoRows(db: Reader): Promise<boolean> {
  const kysely = kyselyOf(db)
  // An older schema has fewer tables.
  const present = await listVisibleTables(db)
  for (const [name, { isSeeded }] of copiedTables) {
    if (isSeeded === true || !present.has(name)) continue
    const { rows } = await sql`select 1 from ${sql.table(name)} limit 1`.execute(kysely)
    if (rows.length > 0) return false
  }
  return true
}

function openDraft(file: string, clock: Clock): Promise<Metadata> {
  return openSqliteMetadata({ file, clock, onFatal: ignoreFatal })
}

/** Ignores a failed sync: every later write fails, which ends the restore, and it can be run again. */
function ignoreFatal(): void {}
