/** All dead keys, for tests; the service asks for those that are due. */
import type { Digest } from '../../oci/digest.ts'
import type { DeadKey } from '../content/dead-keys.ts'
import type { Reader } from '../handles.ts'
import { kyselyOf } from '../sql/database.ts'

/** Oldest first, those that wait for their next attempt included. */
export async function listDeadKeys(db: Reader, options: { readonly limit: number }): Promise<DeadKey[]> {
  const rows = await kyselyOf(db)
    .selectFrom('dead_key')
    .select(['storage_key', 'digest'])
    .orderBy('since')
    .orderBy('storage_key')
    .limit(options.limit)
    .execute()
  return rows.map((row) => {
    return { storageKey: row.storage_key, digest: (row.digest ?? undefined) as Digest | undefined }
  })
}
