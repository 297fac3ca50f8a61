/** All dead keys, for tests; the service reads only due ones. */
import type { Digest } from '../../oci/digest.ts'
import type { DeadKey } from '../content/dead-keys.ts'
import type { Reader } from '../handles.ts'
import { kyselyOf } from '../sql/database.ts'

/** Lists dead keys oldest first, including keys that wait for their next attempt. */
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
