/** Deletes a tag, or a manifest with all tags that point at it, in one transaction. */
import { principalId } from '../../auth/principal.ts'
import { insertEvents, type NewEvent } from '../../metadata/events.ts'
import type { Transaction } from '../../metadata/handles.ts'
import { deleteManifest } from '../../metadata/manifests.ts'
import { findRepository } from '../../metadata/repositories.ts'
import { deleteTag } from '../../metadata/tags.ts'
import type { Digest } from '../../oci/digest.ts'
import type { TagName } from '../../oci/tag-name.ts'
import { DeleteDisabledError, ManifestUnknownError, RepositoryUnknownError } from '../errors.ts'
import type { DeleteManifestRequest, ManifestDeps } from './manifest-types.ts'
import { checkTagCondition } from './tag-condition.ts'

type Change = Pick<NewEvent, 'kind' | 'tag' | 'before'>

export async function deleteManifestOrTag(deps: ManifestDeps, request: DeleteManifestRequest): Promise<void> {
  if (!deps.deleteEnabled) throw new DeleteDisabledError()
  await deps.metadata.transact(async (tx) => {
    const repository = await findRepository(tx, request.repository)
    if (repository === undefined) throw new RepositoryUnknownError(request.repository)
    const changes = await remove(tx, repository.id, request)
    if (changes.length === 0) throw new ManifestUnknownError(request.repository, request.reference)
    const actor = principalId(request.caller.principal)
    const event = { repositoryId: repository.id, actor, credential: undefined, at: deps.clock.now() }
    await insertEvents(
      tx,
      changes.map((change) => ({ ...event, ...change, after: undefined })),
    )
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
  return [...untagged, { kind: 'manifest.delete', tag: undefined, before: digest }]
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
