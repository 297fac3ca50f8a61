/** What hangs on manifests, thousands of rows on one of them: removed so many at a time, before the manifests. */
import type { Expression } from 'kysely'
import type { Transaction } from '../handles.ts'
import { kyselyOf } from '../sql/database.ts'

export interface DetailsToRemove {
  /** Ids of manifests, as a list or as a query. */
  readonly of: Expression<number> | readonly number[]
  readonly limit: number
}

/** References to blobs and manifests, and properties. Returns how many rows went; less than `limit` when none is left. */
export async function removeManifestDetails(
  tx: Transaction,
  { of, limit }: DetailsToRemove,
): Promise<number> {
  let removed = 0
  for (const remove of [removeBlobReferences, removeChildReferences, removeProperties]) {
    if (removed < limit) removed += await remove(tx, { of, limit: limit - removed })
  }
  return removed
}

async function removeBlobReferences(tx: Transaction, { of, limit }: DetailsToRemove): Promise<number> {
  const result = await kyselyOf(tx)
    .deleteFrom('manifest_blob')
    .where((eb) => {
      const some = eb
        .selectFrom('manifest_blob as detail')
        .select(['detail.manifest_id', 'detail.position'])
        .where('detail.manifest_id', 'in', of)
        .limit(limit)
      return eb(eb.refTuple('manifest_id', 'position'), 'in', some.$asTuple('manifest_id', 'position'))
    })
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}

async function removeChildReferences(tx: Transaction, { of, limit }: DetailsToRemove): Promise<number> {
  const result = await kyselyOf(tx)
    .deleteFrom('manifest_child')
    .where((eb) => {
      const some = eb
        .selectFrom('manifest_child as detail')
        .select(['detail.index_id', 'detail.position'])
        .where('detail.index_id', 'in', of)
        .limit(limit)
      return eb(eb.refTuple('index_id', 'position'), 'in', some.$asTuple('index_id', 'position'))
    })
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}

async function removeProperties(tx: Transaction, { of, limit }: DetailsToRemove): Promise<number> {
  const result = await kyselyOf(tx)
    .deleteFrom('property')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('property as detail')
        .select('detail.id')
        .where('detail.ref_type', '=', 'manifest')
        .where('detail.ref_id', 'in', of)
        .limit(limit),
    )
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}
