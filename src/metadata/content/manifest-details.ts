/** The rows that depend on manifests, up to thousands for one manifest. They are removed in batches, before the manifests. */
import { sql } from 'kysely'
import type { Expression, SqlBool } from 'kysely'
import type { Transaction } from '../handles.ts'
import { deleteSome } from '../sql/delete-rows.ts'

export interface DetailsToRemove {
  /** The ids of the manifests, as a list or as a query. */
  readonly of: Expression<number> | readonly number[]
  readonly limit: number
}

/**
 * Removes references to blobs and manifests, and properties. Returns the number of removed rows; it is less than `limit`
 * if none are left.
 */
export async function removeManifestDetails(
  tx: Transaction,
  { of, limit }: DetailsToRemove,
): Promise<number> {
  const ids = Array.isArray(of) ? sql`(${sql.join(of)})` : of
  const isOf = (column: string): Expression<SqlBool> => sql<SqlBool>`${sql.ref(column)} in ${ids}`
  const parts = [
    (rest: number) =>
      deleteSome(tx, 'manifest_blob', {
        key: ['manifest_id', 'position'],
        where: isOf('manifest_id'),
        limit: rest,
      }),
    (rest: number) =>
      deleteSome(tx, 'manifest_child', {
        key: ['index_id', 'position'],
        where: isOf('index_id'),
        limit: rest,
      }),
    (rest: number) =>
      deleteSome(tx, 'property', {
        key: ['id'],
        where: sql<SqlBool>`ref_type = 'manifest' and ${isOf('ref_id')}`,
        limit: rest,
      }),
  ]
  let removed = 0
  for (const remove of parts) {
    if (removed < limit) removed += await remove(limit - removed)
  }
  return removed
}
