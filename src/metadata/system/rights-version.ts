/**
 * A number that rises with each change of rights: grants, roles, teams, members, ownership, the visibility of owners.
 * Cached rights are valid while the number stays the same.
 */
import { sql } from 'kysely'
import { andThen } from '../../lib/maybe-promise.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import type { Reader, Transaction } from '../handles.ts'
import { compileOnce } from '../sql/compile-once.ts'
import { databaseOf, kyselyOf } from '../sql/database.ts'

interface VersionRow {
  version: number
}

const currentVersion = compileOnce<object, VersionRow>(({ kysely }) =>
  kysely.selectFrom('rights_version').select('version').where('singleton', '=', sql.lit(1)),
)

/** Returns the current version. On SQLite it answers at once. */
export function getRightsVersion(db: Reader): MaybePromise<number> {
  return andThen(currentVersion.first(db, {}), versionOf)
}

/**
 * Raises the version. Call it in each transaction that changes rights, after the change. From then on such transactions
 * wait for each other.
 */
export async function raiseRightsVersion(tx: Transaction): Promise<void> {
  await kyselyOf(tx)
    .updateTable('rights_version')
    .set((eb) => ({ version: eb('version', '+', 1) }))
    .where('singleton', '=', 1)
    .execute()
  const { notes } = databaseOf(tx)
  if (notes !== undefined) notes.hasChangedRights = true
}

function versionOf(row: VersionRow | undefined): number {
  if (row === undefined)
    throw new Error('the table rights_version has no row; restore the database from a backup')
  return row.version
}
