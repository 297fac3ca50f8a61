import { expect, test } from 'vitest'
import { ownerOf } from '../../../oci/repository-name.ts'
import { findBlob, findLinkedBlob, linkBlob, listUnlinkedBlobs } from '../../content/blobs.ts'
import { listDeadKeys } from '../list-dead-keys.ts'
import { Conflict } from '../../errors.ts'
import { listRepositories } from '../../repositories/list-repositories.ts'
import { findManifest, findManifestContent, insertManifest } from '../../content/manifests.ts'
import type { Metadata } from '../../metadata.ts'
import { isMountable } from '../content/mountable.ts'
import { deleteOwner } from '../../deletion/owner-deletion.ts'
import { OwnerHasRemains } from '../../owners/owner-errors.ts'
import { deleteRepository } from '../../deletion/repository-deletion.ts'
import { listRemains, removeRemains } from '../../deletion/repository-remains.ts'
import {
  findRepository,
  findRepositoryAccess,
  listRepositoryAccess,
} from '../../repositories/repositories.ts'
import type { Repository } from '../../repositories/repositories.ts'
import { putTag } from '../../content/tags.ts'
import { findUpload, insertUpload } from '../../content/uploads.ts'
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
} from '../builders.ts'
import type { ContractSubject } from '../contract-subject.ts'
import { countChanges, endAfter } from '../wrapped-metadata.ts'

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

async function pushLarge(metadata: Metadata, repository: Repository, layers: number) {
  const digest = await createLinkedBlob(metadata, repository)
  const row = { digest, role: 'layer', mediaType: 'a/b', size: 7 } as const
  return pushManifest(metadata, repository, { blobs: numbers(layers).map(() => row) })
}

export function testRepositoryDeletion({ metadata }: ContractSubject): void {
  test('returns false for a repository that does not exist', async () => {
    expect(await deleteRepository(metadata(), { name: aName(), now: 1 })).toBe(false)
  })

  test('removes everything in steps, and leaves the content of other repositories', async () => {
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

  test('a deleted name is free for another repository', async () => {
    const first = await createRepository(metadata())
    await deleteRepository(metadata(), { name: first.name, now: 1 })
    const second = await createRepository(metadata(), { name: first.name, visibility: 'public' })
    expect(second.id).not.toBe(first.id)
    expect(second.visibility).toBe('public')
  })

  test('ends while pushes continue, and leaves nothing half removed', async () => {
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

  test('the first transaction hides it from all lists and frees its name', async () => {
    const repository = await createRepository(metadata(), { visibility: 'public' })
    const { name } = repository
    const pushed: Awaited<ReturnType<typeof pushTagged>>[] = []
    for (const _ of numbers(3)) pushed.push(await pushTagged(metadata(), repository))
    const deletion = deleteRepository(endAfter(metadata(), 1), { name, now: 1, rowsPerStep: 2 })
    await expect(deletion).rejects.toThrow('the process ends here')

    const { reader } = metadata()
    expect(await listRemains(reader, { limit: 1_000, ownerId: repository.ownerId })).toContain(repository.id)
    const all = { all: true } as const
    for (const { manifest, digest } of pushed) {
      expect(await findManifest(reader, name, { kind: 'digest', digest: manifest.digest })).toBeUndefined()
      expect(await findLinkedBlob(reader, name, digest)).toBeUndefined()
      expect(await isMountable(reader, { digest, target: aName(), visible: all })).toBe(false)
    }
    expect(await findRepositoryAccess(reader, name)).toBeUndefined()
    const after = name.slice(0, -1)
    const isRemains = (listed: string): boolean => listed === name || listed.startsWith('~')
    const owners = { all: false, public: true, owner: ownerOf(name) } as const
    for (const visible of [all, owners]) {
      const listed = await listRepositories(reader, { after, limit: 100_000, visible })
      expect(listed.filter(isRemains)).toEqual([])
    }
    const listed = await listRepositoryAccess(reader, { after, limit: 100_000 })
    expect(listed.filter((row) => isRemains(row.name))).toEqual([])

    const again = await createRepository(metadata(), { name })
    const kept = await pushTagged(metadata(), again)
    await removeRemains(metadata(), { repositoryId: repository.id, rowsPerStep: 2 })
    expect(await listRemains(reader, { limit: 1_000, ownerId: repository.ownerId })).toEqual([])
    for (const { manifest } of pushed) {
      expect(await findManifestContent(reader, manifest.digest)).toBeUndefined()
    }
    const found = await findManifest(reader, name, { kind: 'digest', digest: kept.manifest.digest })
    expect(found).toBeDefined()
  })

  test('each transaction removes a bounded number of rows, however many details a manifest has', async ({
    skip,
  }) => {
    skip(metadata().dialect !== 'sqlite', 'only SQLite counts what a transaction changes')
    const repository = await createRepository(metadata())
    await pushLarge(metadata(), repository, 2_500)
    for (const _ of numbers(60)) await pushTagged(metadata(), repository)
    const counted = countChanges(metadata())
    await deleteRepository(counted, { name: repository.name, now: 1 })
    const { changes } = counted
    const total = changes.reduce((sum, count) => sum + count, 0)
    expect(total).toBeGreaterThan(2_500 + 60 * 7)
    // A step may exceed its row limit by the rows of its last manifests.
    expect(Math.max(...changes)).toBeLessThanOrEqual(250)
    expect(await listRemains(metadata().reader, { limit: 1, ownerId: repository.ownerId })).toEqual([])
  })

  test('bytes limit a step too', async () => {
    const repository = await createRepository(metadata())
    for (const index of numbers(4)) {
      await pushManifest(metadata(), repository, { bytes: Buffer.alloc(2 * 1024 * 1024, `${index}`) })
    }
    // One transaction removes the name, two the manifests, one finds nothing more.
    const { name } = repository
    await expect(deleteRepository(endAfter(metadata(), 3), { name, now: 1 })).rejects.toThrow('ends here')
    expect(await listRemains(metadata().reader, { limit: 1, ownerId: repository.ownerId })).toHaveLength(1)
    await removeRemains(endAfter(metadata(), 1), { repositoryId: repository.id })
  })

  test('an owner with remains is not deleted, and the error has its id', async () => {
    const name = aName()
    const owner = unique('owner')
    const repository = await createRepository(metadata(), { name: `${owner}/x` as typeof name })
    await pushTagged(metadata(), repository)
    const deletion = deleteRepository(endAfter(metadata(), 1), { name: repository.name, now: 1 })
    await expect(deletion).rejects.toThrow('the process ends here')
    await expect(metadata().transact((tx) => deleteOwner(tx, owner))).rejects.toBeInstanceOf(OwnerHasRemains)
    await removeRemains(metadata(), { repositoryId: repository.id })
    expect(await metadata().transact((tx) => deleteOwner(tx, owner))).toMatchObject({ name: owner })
  })
}
