/**
 * One number that rises with each change of who may do what: grants, roles, teams, members, ownership, the visibility
 * of owners. What a process remembers of rights is good for as long as the number stays.
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

/** On SQLite it answers at once. */
export function getRightsVersion(db: Reader): MaybePromise<number> {
  return andThen(currentVersion.first(db, {}), versionOf)
}

/**
 * Call it in each transaction that changes rights, after the change. Such transactions wait for one another from then
 * on.
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
  if (row === undefined) throw new Error('the table rights_version has no row')
  return row.version
}
