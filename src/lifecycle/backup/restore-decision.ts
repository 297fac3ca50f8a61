/** Decides whether a snapshot may be restored: only into an empty installation, or next to its own store. */
import type { DatabaseState, RestoreDatabase } from '../../metadata/backup/restore-metadata.ts'
import { BackupRefused } from './errors.ts'
import { parseRestoreMarker } from './restore-marker.ts'

export interface StoreState {
  /** The content of the store's installation file. */
  readonly installation: string | undefined
  /** Whether there are no blobs, no uploaded bytes, nothing set aside and no foreign files. */
  readonly isEmpty: boolean
}

type LocatedDatabase = DatabaseState & Pick<RestoreDatabase, 'place'>

export interface RestoreSituation {
  readonly snapshot: { readonly name: string; readonly installation: string }
  readonly database: LocatedDatabase
  readonly store: StoreState
  readonly databaseOnly: boolean
}

/** `finish`: an earlier run has already filled the database. */
export type RestoreDecision = 'begin' | 'continue' | 'finish'

/** Throws `BackupRefused`, whose message says what to do. Changes nothing. */
export function decideRestore(situation: RestoreSituation): RestoreDecision {
  return situation.databaseOnly ? decideDatabaseOnly(situation) : decideWhole(situation)
}

function decideWhole({ snapshot, database, store }: RestoreSituation): RestoreDecision {
  const unfinished = parseRestoreMarker(store.installation)
  if (unfinished !== undefined) {
    if (unfinished.snapshot !== snapshot.name || unfinished.installation !== snapshot.installation) {
      throw new BackupRefused(
        `the restore of snapshot ${unfinished.snapshot} of installation ${unfinished.installation} into this store has not finished, but this is snapshot ${snapshot.name} of installation ${snapshot.installation}; finish that restore first, or empty the folder of the store and start again`,
      )
    }
    if (database.isEmpty) return 'continue'
    if (database.installation === snapshot.installation) return 'finish'
    throw refuseDatabase(database)
  }
  if (!database.isEmpty) throw refuseDatabase(database)
  if (store.installation === undefined && store.isEmpty) return 'begin'
  throw refuseStore(snapshot.installation, store)
}

function decideDatabaseOnly({ snapshot, database, store }: RestoreSituation): RestoreDecision {
  if (parseRestoreMarker(store.installation) !== undefined) {
    throw new BackupRefused(
      'a full restore into this store has not finished; run it again without --database-only',
    )
  }
  if (store.installation === undefined && store.isEmpty) {
    throw new BackupRefused(
      `the data folder has no store for the database; name the data folder that holds the store of installation ${snapshot.installation}, or restore the whole snapshot without --database-only`,
    )
  }
  if (store.installation !== snapshot.installation) {
    throw new BackupRefused(
      `the store ${describeOwner(store)}, but the snapshot belongs to installation ${snapshot.installation}; --database-only restores a database beside its own store: name the data folder of that store, or restore the whole snapshot into an empty data folder`,
    )
  }
  if (!database.isEmpty) throw refuseDatabase(database)
  return 'begin'
}

function refuseDatabase({ installation, place }: LocatedDatabase): BackupRefused {
  return new BackupRefused(
    `the database ${place} is not empty${installation === undefined ? '' : `: it belongs to installation ${installation}`}; a restore overwrites nothing: stop the server and move the database away, or set data or metadata.url to another place`,
  )
}

function refuseStore(installation: string, store: StoreState): BackupRefused {
  if (store.installation === installation) {
    return new BackupRefused(
      `the store already belongs to installation ${installation}, as the snapshot does; if only the database is lost, run the command with --database-only, which keeps the blobs that are newer than the snapshot; otherwise move the store away and run the same command again`,
    )
  }
  return new BackupRefused(
    `the store is not empty: it ${describeOwner(store)}; a restore overwrites nothing: name an empty data folder, or move the store away`,
  )
}

function describeOwner({ installation }: StoreState): string {
  return installation === undefined
    ? 'holds files without an installation id'
    : `belongs to installation ${installation}`
}
