import { expect, test } from 'vitest'
import { caller, openRegistry, type OpenRegistry } from '../../../test/support/parts/open-registry.ts'
import { anImageManifest } from '../../../test/support/content/manifests.ts'
import { kyselyOf } from '../../metadata/sql/database.ts'
import { parseDigest } from '../../oci/digest.ts'
import { parseRepositoryName } from '../../oci/repository-name.ts'

const repository = parseRepositoryName('acme/web')
const patient = { signal: new AbortController().signal, reserve: () => Promise.resolve() }
const lenient = { references: { blobs: 'lenient', children: 'lenient' } } as const

async function cutShort(open: OpenRegistry, digest: string): Promise<void> {
  await open.metadata.transact((tx) =>
    kyselyOf(tx)
      .updateTable('manifest_content')
      .set({ bytes: Buffer.from('{}') })
      .where('digest', '=', digest)
      .execute(),
  )
}

test('a manifest with truncated bytes is unknown and reported, and a push restores it', async () => {
  await using open = await openRegistry(lenient)
  const { manifests } = open.registry
  const image = anImageManifest()
  const digest = parseDigest(image.digest)
  const reference = { kind: 'digest', digest } as const
  const put = { repository, reference, tags: [], bytes: image.bytes, contentType: image.mediaType, caller }
  await manifests.put(put)
  await cutShort(open, digest)
  // For a few minutes, this process trusts content that it has just stored.
  open.clock.advance(10 * 60_000)
  await expect(manifests.find(repository, reference)).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' })
  await expect(manifests.get(repository, reference, patient)).rejects.toMatchObject({
    code: 'MANIFEST_UNKNOWN',
  })
  const reported = { kind: 'manifest', digest, expectedBytes: image.size, foundBytes: 2 }
  expect(open.damage).toEqual([reported, reported])
  await manifests.put(put)
  expect(await manifests.find(repository, reference)).toMatchObject({ digest, size: image.size })
  const { bytes } = await manifests.get(repository, reference, patient)
  expect(Buffer.from(bytes).equals(image.bytes)).toBe(true)
})

test('a HEAD of a manifest checks its bytes once in some minutes', async () => {
  await using open = await openRegistry(lenient)
  const { manifests } = open.registry
  const image = anImageManifest()
  const digest = parseDigest(image.digest)
  const reference = { kind: 'digest', digest } as const
  const put = { repository, reference, tags: [], bytes: image.bytes, contentType: image.mediaType, caller }
  await manifests.put(put)
  open.clock.advance(10 * 60_000)
  await manifests.find(repository, reference)
  await cutShort(open, digest)
  expect(await manifests.find(repository, reference)).toMatchObject({ digest })
  open.clock.advance(10 * 60_000)
  await expect(manifests.find(repository, reference)).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' })
})
