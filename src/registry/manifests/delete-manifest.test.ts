import { expect, test } from 'vitest'
import { caller, openRegistry } from '../../../test/support/parts/open-registry.ts'
import { endAfter } from '../../metadata/contract/wrapped-metadata.ts'
import { ensureRepository } from '../../metadata/repositories/repositories.ts'
import { listTags, putTag } from '../../metadata/content/tags.ts'
import { parseDigest } from '../../oci/digest.ts'
import { parseRepositoryName } from '../../oci/repository-name.ts'
import { parseTagName } from '../../oci/tag-name.ts'
import { deleteManifestOrTag } from './delete-manifest.ts'
import type { ManifestDeps } from './manifest-types.ts'

const repository = parseRepositoryName('many/tags')
const tags = Array.from({ length: 450 }, (_, index) => `v${index}`).toSorted()

async function openTagged() {
  const open = await openRegistry({ references: { blobs: 'lenient', children: 'lenient' } })
  const manifest = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] }
  const { digest } = await open.registry.manifests.put({
    repository,
    reference: { kind: 'tag', tag: parseTagName('v0') },
    tags: [],
    bytes: Buffer.from(JSON.stringify(manifest)),
    contentType: manifest.mediaType,
    caller,
  })
  const repositoryId = await open.metadata.transact(async (tx) => {
    const { id } = await ensureRepository(tx, { name: repository, visibility: 'public', now: 1 })
    for (const name of tags) {
      await putTag(tx, { repositoryId: id, name: parseTagName(name), digest: parseDigest(digest), now: 1 })
    }
    return id
  })
  const request = { repository, reference: { kind: 'digest', digest }, caller } as const
  return { open, request, repositoryId, [Symbol.asyncDispose]: () => open[Symbol.asyncDispose]() }
}

test('a manifest with hundreds of tags is deleted with all of them, each recorded once', async () => {
  await using given = await openTagged()
  const { open, request, repositoryId } = given
  await open.registry.manifests.delete(request)
  expect(await listTags(open.metadata.reader, { repositoryId, limit: 1 })).toEqual([])
  await expect(open.registry.manifests.delete(request)).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' })
  const deleted = await open.audit.search({ filter: { action: 'tag.delete' }, limit: 1_000 })
  expect(deleted.map(({ detail }) => String(detail?.['tag'])).toSorted()).toEqual(tags)
  expect(await open.audit.search({ filter: { action: 'manifest.delete' }, limit: 10 })).toHaveLength(1)
})

test('an interrupted deletion leaves the manifest intact, with fewer tags', async () => {
  await using given = await openTagged()
  const { open, request, repositoryId } = given
  const deps = { ...open, deleteEnabled: true, metadata: endAfter(open.metadata, 2) }
  await expect(deleteManifestOrTag(deps as unknown as ManifestDeps, request)).rejects.toThrow('ends here')
  expect(await listTags(open.metadata.reader, { repositoryId, limit: 1_000 })).toHaveLength(50)
  expect(await open.registry.manifests.find(repository, request.reference)).toBeDefined()
  await open.registry.manifests.delete(request)
  expect(await listTags(open.metadata.reader, { repositoryId, limit: 1 })).toEqual([])
})
