import { expect, test } from 'vitest'
import { findBlob, findLinkedBlob, linkBlob, listUnlinkedBlobs } from '../blobs.ts'
import { listDeadKeys } from '../dead-keys.ts'
import { Conflict } from '../errors.ts'
import { findManifest, findManifestContent, insertManifest } from '../manifests.ts'
import type { Metadata } from '../metadata.ts'
import { deleteRepository } from '../repository-deletion.ts'
import { findRepository } from '../repositories.ts'
import type { Repository } from '../repositories.ts'
import { putTag } from '../tags.ts'
import { findUpload, insertUpload } from '../uploads.ts'
import {
  aManifest,
  anUpload,
  aName,
  aTag,
  createLinkedBlob,
  createRepository,
  numbers,
  pushManifest,
  unique,
} from './builders.ts'
import type { ContractSubject } from './contract-subject.ts'

async function pushTagged(metadata: Metadata, repository: Repository, bytes?: Uint8Array) {
  const digest = await createLinkedBlob(metadata, repository)
  const manifest = await pushManifest(metadata, repository, {
    ...(bytes !== undefined && { bytes }),
    blobs: [{ digest, role: 'layer', mediaType: 'a/b', size: 7 }],
    children: [{ digest, platform: undefined }],
    properties: [{ name: 'a', value: 'b' }],
  })
  await metadata.transact((tx) =>
    putTag(tx, { repositoryId: repository.id, name: aTag(unique('tag')), digest: manifest.digest, now: 1 }),
  )
  return { manifest, digest }
}

export function testRepositoryDeletion({ metadata }: ContractSubject): void {
  test('says that there was nothing', async () => {
    expect(await deleteRepository(metadata(), { name: aName(), now: 1 })).toBe(false)
  })

  test('removes everything in steps, and leaves what others have', async () => {
    const repository = await createRepository(metadata())
    const other = await createRepository(metadata())
    const shared = new TextEncoder().encode(unique('shared'))
    const pushed = [await pushTagged(metadata(), repository, shared)]
    for (const _ of numbers(6)) pushed.push(await pushTagged(metadata(), repository))
    const kept = await pushTagged(metadata(), other, shared)
    const first = pushed[0]!
    await metadata().transact((tx) => linkBlob(tx, { repositoryId: other.id, digest: first.digest, now: 1 }))
    const upload = anUpload({ repository: repository.name })
    await metadata().transact((tx) => insertUpload(tx, upload))

    expect(await deleteRepository(metadata(), { name: repository.name, now: 9, rowsPerStep: 3 })).toBe(true)

    const { reader } = metadata()
    expect(await findRepository(reader, repository.name)).toBeUndefined()
    for (const { manifest, digest } of pushed.slice(1)) {
      expect(await findManifestContent(reader, manifest.digest)).toBeUndefined()
      expect(await findLinkedBlob(reader, repository.name, digest)).toBeUndefined()
      expect(await findBlob(reader, digest)).toBeDefined()
    }
    const unlinked = await listUnlinkedBlobs(reader, { before: 2, limit: 100_000 })
    const gone = new Set(unlinked.map((blob) => blob.digest))
    expect(pushed.map(({ digest }) => gone.has(digest))).toEqual([false, ...numbers(6).map(() => true)])
    expect(await findUpload(reader, upload.id)).toBeUndefined()
    const dead = await listDeadKeys(reader, { limit: 100_000 })
    expect(dead.map((key) => key.storageKey)).toContain(upload.storageKey)
    expect(
      await findManifest(reader, other.name, { kind: 'digest', digest: kept.manifest.digest }),
    ).toBeDefined()
    expect(await findManifestContent(reader, first.manifest.digest)).toHaveLength(shared.length)
    expect(await findLinkedBlob(reader, other.name, first.digest)).toBeDefined()
  })

  test('a name that was deleted is free again, for another repository', async () => {
    const first = await createRepository(metadata())
    await deleteRepository(metadata(), { name: first.name, now: 1 })
    const second = await createRepository(metadata(), { name: first.name, visibility: 'public' })
    expect(second.id).not.toBe(first.id)
    expect(second.visibility).toBe('public')
  })

  test('ends while pushes go on, and leaves nothing half', async () => {
    const repository = await createRepository(metadata())
    for (const _ of numbers(4)) await pushTagged(metadata(), repository)
    const pushes = numbers(8).map(() =>
      metadata()
        .transact((tx) => insertManifest(tx, aManifest(repository)))
        .catch((error: unknown) => error),
    )
    const deletion = deleteRepository(metadata(), { name: repository.name, now: 1, rowsPerStep: 1 })
    const outcomes = await Promise.all(pushes)
    expect(outcomes.filter((one) => one instanceof Error && !(one instanceof Conflict))).toEqual([])
    expect(await deletion).toBe(true)
    expect(await findRepository(metadata().reader, repository.name)).toBeUndefined()
  })
}
