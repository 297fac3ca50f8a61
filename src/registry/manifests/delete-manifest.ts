/** Deletes a tag, or a manifest with all tags that point at it, in one transaction. */
import type { Transaction } from '../../metadata/handles.ts'
import { deleteManifest } from '../../metadata/manifests.ts'
import { findRepository } from '../../metadata/repositories.ts'
import { deleteTag } from '../../metadata/tags.ts'
import type { Digest } from '../../oci/digest.ts'
import type { TagName } from '../../oci/tag-name.ts'
import { recordChanges, type Change } from '../record-changes.ts'
import { DeleteDisabledError, ManifestUnknownError, RepositoryUnknownError } from '../errors.ts'
import type { DeleteManifestRequest, ManifestDeps } from './manifest-types.ts'
import { checkTagCondition } from './tag-condition.ts'

export async function deleteManifestOrTag(deps: ManifestDeps, request: DeleteManifestRequest): Promise<void> {
  if (!deps.deleteEnabled) throw new DeleteDisabledError()
  await deps.metadata.transact(async (tx) => {
    const repository = await findRepository(tx, request.repository)
    if (repository === undefined) throw new RepositoryUnknownError(request.repository)
    const changes = await remove(tx, repository.id, request)
    if (changes.length === 0) throw new ManifestUnknownError(request.repository, request.reference)
    await recordChanges(deps, tx, {
      repository: request.repository,
      caller: request.caller,
      changes,
    })
  })
}

/** What was removed; nothing when there was nothing. */
function remove(tx: Transaction, repositoryId: number, request: DeleteManifestRequest): Promise<Change[]> {
  const { reference, condition } = request
  if (reference.kind === 'digest') return removeManifest(tx, repositoryId, reference.digest)
  return removeTag(tx, { repositoryId, name: reference.tag }, condition)
}

async function removeManifest(tx: Transaction, repositoryId: number, digest: Digest): Promise<Change[]> {
  const deleted = await deleteManifest(tx, { repositoryId, digest })
  if (deleted === undefined) return []
  const untagged = deleted.tags.map((tag): Change => ({ kind: 'tag.delete', tag, before: digest }))
  return [...untagged, { kind: 'manifest.delete', before: digest }]
}

async function removeTag(
  tx: Transaction,
  tag: { repositoryId: number; name: TagName },
  condition: DeleteManifestRequest['condition'],
): Promise<Change[]> {
  if (condition !== undefined) await checkTagCondition(tx, tag, condition)
  const deleted = await deleteTag(tx, tag)
  return deleted === undefined ? [] : [{ kind: 'tag.delete', tag: tag.name, before: deleted.before }]
}
