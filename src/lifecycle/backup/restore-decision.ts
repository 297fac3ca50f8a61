/** Whether a snapshot may be restored into what is there: only into an empty installation, or beside its own store. */
import type { DatabaseState } from '../../metadata/backup/restore-metadata.ts'
import { BackupRefused } from './errors.ts'
import { parseRestoreMarker } from './restore-marker.ts'

export interface StoreState {
  /** What the store's installation file says. */
  readonly installation: string | undefined
  /** No blob, no bytes of an upload. */
  readonly isEmpty: boolean
}

export interface RestoreSituation {
  readonly snapshot: { readonly name: string; readonly installation: string }
  readonly database: DatabaseState
  readonly store: StoreState
  readonly databaseOnly: boolean
}

/** `finish`: an earlier run has filled the database already. */
export type RestoreDecision = 'begin' | 'continue' | 'finish'

/** Throws `BackupRefused`, which says what to do. Nothing has been changed by then. */
export function decideRestore(situation: RestoreSituation): RestoreDecision {
  return situation.databaseOnly ? decideDatabaseOnly(situation) : decideWhole(situation)
}

function decideWhole({ snapshot, database, store }: RestoreSituation): RestoreDecision {
  const unfinished = parseRestoreMarker(store.installation)
  if (unfinished !== undefined) {
    if (unfinished.snapshot !== snapshot.name || unfinished.installation !== snapshot.installation) {
      throw new BackupRefused(
        `the restore of snapshot ${unfinished.snapshot} of installation ${unfinished.installation} into this store has not ended, and this is ${snapshot.name} of ${snapshot.installation}; restore the former, or empty the store's folder and begin again`,
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
      'a whole restore into this store has not ended; run it again without --database-only',
    )
  }
  if (store.installation !== snapshot.installation) {
    throw new BackupRefused(
      `the store belongs to installation ${store.installation ?? 'none'}, and the snapshot to ${snapshot.installation}; --database-only restores the database beside its own store: name the data folder that this store is in, or restore the whole snapshot into an empty installation`,
    )
  }
  if (!database.isEmpty) throw refuseDatabase(database)
  return 'begin'
}

function refuseDatabase({ installation }: DatabaseState): BackupRefused {
  return new BackupRefused(
    `the database is not empty: it is that of installation ${installation ?? 'none yet'}; a restore overwrites nothing: stop the server and move the database away, or name an empty one`,
  )
}

function refuseStore(installation: string, store: StoreState): BackupRefused {
  if (store.installation === installation) {
    return new BackupRefused(
      `the store holds the blobs of installation ${installation}, which the snapshot is of; if only its database is lost, restore that with --database-only, which keeps the blobs that are newer than the snapshot; otherwise move the store away and run this again`,
    )
  }
  return new BackupRefused(
    `the store is not empty: it belongs to installation ${store.installation ?? 'none'}; a restore overwrites nothing: name an empty data folder, or move the store away`,
  )
}
