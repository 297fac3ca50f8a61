/**
 * Deletes a tag, or a manifest with all tags that point at it, in one transaction. Only for a manifest with very many tags, most
 * of its tags are deleted in earlier transactions, a batch in each, as if the client had deleted each tag.
 */
import type { Transaction } from '../../metadata/handles.ts'
import { deleteManifest } from '../../metadata/content/manifest-deletion.ts'
import { findRepository } from '../../metadata/repositories/repositories.ts'
import { deleteTag } from '../../metadata/content/tags.ts'
import type { Digest } from '../../oci/digest.ts'
import type { TagName } from '../../oci/tag-name.ts'
import { recordChanges, type Change } from '../record-changes.ts'
import { DeleteDisabledError, ManifestUnknownError } from '../errors.ts'
import type { DeleteManifestRequest, ManifestDeps } from './manifest-types.ts'
import { checkTagCondition } from './tag-condition.ts'

/** Each tag needs a delete and an audit row. */
const tagsPerTransaction = 200

export async function deleteManifestOrTag(deps: ManifestDeps, request: DeleteManifestRequest): Promise<void> {
  if (!deps.deleteEnabled) throw new DeleteDisabledError()
  for (let isFirst = true; ; isFirst = false) {
    const { changes, isWhole } = await deps.metadata.transact((tx) => removeAndRecord(deps, tx, request))
    if (changes.length > 0 && !isWhole) continue
    // On later rounds another request may have deleted the rest.
    if (changes.length === 0 && isFirst) {
      throw new ManifestUnknownError(request.repository, request.reference)
    }
    return
  }
}

interface Removed {
  /** Empty when nothing was deleted. */
  readonly changes: readonly Change[]
  /** False if only tags of the manifest were deleted. */
  readonly isWhole: boolean
}

async function removeAndRecord(
  deps: ManifestDeps,
  tx: Transaction,
  request: DeleteManifestRequest,
): Promise<Removed> {
  const repository = await findRepository(tx, request.repository)
  if (repository === undefined) {
    throw new ManifestUnknownError(request.repository, request.reference, { isRepositoryKnown: false })
  }
  const removed = await remove(tx, repository.id, request)
  await recordChanges(deps, tx, {
    repository: request.repository,
    caller: request.caller,
    changes: removed.changes,
  })
  return removed
}

async function remove(
  tx: Transaction,
  repositoryId: number,
  request: DeleteManifestRequest,
): Promise<Removed> {
  const { reference, condition } = request
  if (reference.kind === 'digest') return removeManifest(tx, repositoryId, reference.digest)
  return { changes: await removeTag(tx, { repositoryId, name: reference.tag }, condition), isWhole: true }
}

async function removeManifest(tx: Transaction, repositoryId: number, digest: Digest): Promise<Removed> {
  const deleted = await deleteManifest(tx, { repositoryId, digest, maxTags: tagsPerTransaction })
  if (deleted === undefined) return { changes: [], isWhole: true }
  const { tags, isWhole } = deleted
  const untagged = tags.map((tag): Change => ({ kind: 'tag.delete', tag, before: digest }))
  const gone: Change[] = isWhole ? [{ kind: 'manifest.delete', before: digest }] : []
  return { changes: [...untagged, ...gone], isWhole }
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
