/** Puts the metadata of a backup in the place of an empty database, in one step. */
import { sql } from 'kysely'
import type { Clock } from '../../lib/clock.ts'
import { openSqliteMetadata } from '../dialects/sqlite/sqlite.ts'
import {
  isNewSqliteFile,
  isSqliteFileInUse,
  removeSqliteFile,
  replaceSqliteDatabase,
  sealSqliteFile,
} from '../dialects/sqlite/files.ts'
import type { Reader, Transaction } from '../handles.ts'
import { findInstallation, setJudgesSince } from '../system/installation.ts'
import type { Metadata } from '../metadata.ts'
import { migrate, readMigrationState } from '../migrations/migrate.ts'
import { removeRowsOfUnlinkedBlobs } from '../content/blobs.ts'
import { kyselyOf } from '../sql/database.ts'
import { listVisibleTables } from '../sql/visible-tables.ts'
import { copyTables } from './copy-tables.ts'
import { copiedTables, transientTables } from './tables.ts'

/** What is there before a restore. */
export interface DatabaseState {
  /** No database, or one without any row of a registry. */
  readonly isEmpty: boolean
  readonly installation: string | undefined
}

export interface RestoreDatabase {
  /** For messages: a path, or the key that names it. */
  readonly place: string
  /** Creates nothing. */
  readState(): Promise<DatabaseState>
  /**
   * Fills the empty database with what `draft` holds, or leaves it as it was. Throws `DatabaseTaken` when it is not
   * empty any more. The draft is used up.
   */
  install(draft: string): Promise<void>
}

/** Somebody else uses the database that was to be restored; not a `Conflict`, which would be tried again. */
export class DatabaseTaken extends Error {
  override readonly name = 'DatabaseTaken'
}

const filledMeanwhile =
  'another process filled the database during the restore; stop that process, move the database away or empty it, and run the same command again'

function openElsewhere(file: string): string {
  return `another process has the database ${file} open; stop that process and run the same command again`
}

/** Brings the file to this version's schema and forgets what a restored registry must not go on with. */
export async function prepareDraft(draft: string, clock: Clock): Promise<void> {
  {
    await using metadata = await openDraft(draft, clock)
    await metadata.transact((tx) => settleRestored(tx, clock.now()))
  }
  // Without a log it is moved as a whole.
  await sealSqliteFile(draft, [])
}

/** Lets the restored database judge only bytes that are not older than `since`. */
export async function setDraftJudgesSince(draft: string, since: number, clock: Clock): Promise<void> {
  {
    await using metadata = await openDraft(draft, clock)
    await metadata.transact((tx) => setJudgesSince(tx, since))
  }
  await sealSqliteFile(draft, [])
}

/** Changes the rows that a restored database must not have as they were. */
async function settleRestored(tx: Transaction, now: number): Promise<void> {
  for (const table of transientTables) await sql`delete from ${sql.table(table)}`.execute(kyselyOf(tx))
  // The collector would delete the bytes of these, and a newer database may have linked them since. Without a row they stay.
  await removeRowsOfUnlinkedBlobs(tx)
  // The store may hold blobs that are newer than the snapshot.
  await setJudgesSince(tx, now)
}

export function sqliteRestoreDatabase(file: string, clock: Clock): RestoreDatabase {
  return {
    place: file,
    async readState() {
      if (await isNewSqliteFile(file)) return { isEmpty: true, installation: undefined }
      await using metadata = await openSqliteMetadata({ file, clock, onFatal: nothingMore, upgrade: false })
      return await readStateOf(metadata.reader)
    },
    async install(draft) {
      const { isEmpty } = await this.readState()
      if (!isEmpty) throw new DatabaseTaken(filledMeanwhile)
      // A connection that is closed last takes the log along.
      if (await isSqliteFileInUse(file)) throw new DatabaseTaken(openElsewhere(file))
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
          // A writer that comes meanwhile waits, and then meets the restored rows.
          await sql`lock table installation in exclusive mode`.execute(kyselyOf(tx))
          const { isEmpty } = await readStateOf(tx)
          if (!isEmpty) throw new DatabaseTaken(filledMeanwhile)
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
  return openSqliteMetadata({ file, clock, onFatal: nothingMore })
}

/** After a failed sync every write fails, which ends the restore; it is run again. */
function nothingMore(): void {}
