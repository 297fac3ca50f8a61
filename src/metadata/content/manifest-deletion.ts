/** Deletes one manifest. With thousands of tags and details this is a large write. */
import type { Digest } from '../../oci/digest.ts'
import type { TagName } from '../../oci/tag-name.ts'
import type { Transaction } from '../handles.ts'
import { removeManifestDetails } from './manifest-details.ts'
import { databaseOf, hasRowLocks, isAnyOf, kyselyOf } from '../sql/database.ts'
import { pause, rowsPerTurn } from '../sql/pause.ts'

interface ManifestKey {
  readonly repositoryId: number
  readonly digest: Digest
}

export interface DeletedManifest {
  /** The removed tags, in byte order. */
  readonly tags: readonly TagName[]
  readonly mediaType: string
  /** `false` if only tags were removed, because there were `maxTags` or more: call again. */
  readonly isWhole: boolean
}

/**
 * Removes the manifest with its tags and details, and its bytes if no other repository has it. Returns `undefined` if
 * the manifest does not exist.
 */
export async function deleteManifest(
  tx: Transaction,
  { repositoryId, digest, maxTags }: ManifestKey & { readonly maxTags: number },
): Promise<DeletedManifest | undefined> {
  const kysely = kyselyOf(tx)
  const query = kysely
    .selectFrom('manifest')
    .select(['id', 'media_type'])
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
  const row = await (hasRowLocks(tx) ? query.forUpdate() : query).executeTakeFirst()
  if (row === undefined) return undefined
  const tags = await deleteTags(tx, { repositoryId, digest, limit: maxTags })
  if (tags.length === maxTags) return { tags, mediaType: row.media_type, isWhole: false }
  while ((await removeManifestDetails(tx, { of: [row.id], limit: rowsPerTurn })) === rowsPerTurn) {
    await pause(tx)
  }
  await kysely.deleteFrom('manifest').where('id', '=', row.id).execute()
  await removeUnusedContent(tx, [digest])
  return { tags, mediaType: row.media_type, isWhole: true }
}

/** Removes the bytes of manifests that no repository has any more. */
export async function removeUnusedContent(tx: Transaction, digests: readonly string[]): Promise<void> {
  const { kysely, dialect } = databaseOf(tx)
  await kysely
    .deleteFrom('manifest_content')
    .where(isAnyOf(dialect, 'manifest_content.digest', digests))
    .where((eb) => {
      const manifest = eb
        .selectFrom('manifest')
        .select('id')
        .whereRef('manifest.digest', '=', 'manifest_content.digest')
      return eb.not(eb.exists(manifest))
    })
    .execute()
}

/** Deletes the tags and returns them in byte order; names are ASCII. */
async function deleteTags(
  tx: Transaction,
  { repositoryId, digest, limit }: ManifestKey & { readonly limit: number },
): Promise<TagName[]> {
  const rows = await kyselyOf(tx)
    .deleteFrom('tag')
    .where('repository_id', '=', repositoryId)
    .where('name', 'in', (eb) =>
      eb
        .selectFrom('tag')
        .select('name')
        .where('repository_id', '=', repositoryId)
        .where('digest', '=', digest)
        .limit(limit),
    )
    .returning('name')
    .execute()
  return rows.map(({ name }) => name as TagName).toSorted()
}
