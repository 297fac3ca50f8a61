import { expect, test } from 'vitest'
import { digestBytes } from '../../../oci/digest.ts'
import type { Digest } from '../../../oci/digest.ts'
import {
  findBlob,
  findBlobUser,
  findLinkedBlob,
  insertBlob,
  linkBlob,
  pinLinkedBlobs,
  unlinkBlob,
} from '../../content/blobs.ts'
import { Conflict } from '../../errors.ts'
import type { Metadata } from '../../metadata.ts'
import { isMountable } from './mountable.ts'
import type { Repository } from '../../repositories/repositories.ts'
import { kyselyOf } from '../../sql/database.ts'
import {
  aDigest,
  aName,
  createLinkedBlob,
  createRepository,
  numbers,
  pushManifest,
  unique,
} from '../builders.ts'
import type { ContractSubject } from '../contract-subject.ts'

function hideLink(metadata: Metadata, repository: Repository, digest: Digest): Promise<unknown> {
  return metadata.transact((tx) =>
    kyselyOf(tx)
      .updateTable('blob_link')
      .set({ state: 'hidden' })
      .where('repository_id', '=', repository.id)
      .where('digest', '=', digest)
      .execute(),
  )
}

export function testLinks({ metadata }: ContractSubject): void {
  test('shows a blob in the repositories that link it, and nowhere else', async () => {
    const repository = await createRepository(metadata())
    const other = await createRepository(metadata())
    const digest = await createLinkedBlob(metadata(), repository)
    const { reader } = metadata()
    expect(await findLinkedBlob(reader, repository.name, digest)).toEqual(await findBlob(reader, digest))
    expect(await findLinkedBlob(reader, other.name, digest)).toBeUndefined()
    expect(await findLinkedBlob(reader, aName(), digest)).toBeUndefined()
    expect(await findLinkedBlob(reader, repository.name, aDigest())).toBeUndefined()
  })

  test('links twice without an error', async () => {
    const repository = await createRepository(metadata())
    const digest = await createLinkedBlob(metadata(), repository)
    await metadata().transact((tx) => linkBlob(tx, { repositoryId: repository.id, digest, now: 2 }))
    expect(await findLinkedBlob(metadata().reader, repository.name, digest)).toBeDefined()
  })

  test('unlinks once, in one repository', async () => {
    const repository = await createRepository(metadata())
    const other = await createRepository(metadata())
    const digest = await createLinkedBlob(metadata(), repository)
    await metadata().transact((tx) => linkBlob(tx, { repositoryId: other.id, digest, now: 2 }))
    const unlink = () => metadata().transact((tx) => unlinkBlob(tx, { repositoryId: repository.id, digest }))
    expect(await unlink()).toBe(true)
    expect(await unlink()).toBe(false)
    expect(await findLinkedBlob(metadata().reader, repository.name, digest)).toBeUndefined()
    expect(await findLinkedBlob(metadata().reader, other.name, digest)).toBeDefined()
  })

  test('does not unlink a blob that a manifest of the repository uses', async () => {
    const repository = await createRepository(metadata())
    const other = await createRepository(metadata())
    const digest = await createLinkedBlob(metadata(), repository)
    const blobs = [{ digest, role: 'layer' as const, mediaType: 'application/x', size: 7 }]
    const manifest = await pushManifest(metadata(), repository, { blobs })
    const { reader } = metadata()
    expect(await findBlobUser(reader, { repositoryId: repository.id, digest })).toBe(manifest.digest)
    expect(await findBlobUser(reader, { repositoryId: other.id, digest })).toBeUndefined()
    const attempt = metadata().transact((tx) => unlinkBlob(tx, { repositoryId: repository.id, digest }))
    await expect(attempt).rejects.toBeInstanceOf(Conflict)
    expect(await findLinkedBlob(reader, repository.name, digest)).toBeDefined()
  })

  test('ignores a hidden link', async () => {
    const repository = await createRepository(metadata())
    const digest = await createLinkedBlob(metadata(), repository)
    await hideLink(metadata(), repository, digest)
    const { reader } = metadata()
    expect(await findLinkedBlob(reader, repository.name, digest)).toBeUndefined()
    const mount = { digest, visible: { all: true } as const, target: aName() }
    expect(await isMountable(reader, mount)).toBe(false)
    expect(await isMountable(reader, { ...mount, from: repository.name })).toBe(false)
    expect(await isMountable(reader, { ...mount, target: repository.name })).toBe(false)
  })

  test('revives a hidden link with a new link', async () => {
    const repository = await createRepository(metadata())
    const digest = await createLinkedBlob(metadata(), repository)
    await hideLink(metadata(), repository, digest)
    await metadata().transact((tx) => linkBlob(tx, { repositoryId: repository.id, digest, now: 2 }))
    expect(await findLinkedBlob(metadata().reader, repository.name, digest)).toBeDefined()
  })

  test('revives a hidden link with a pin', async () => {
    const repository = await createRepository(metadata())
    const digest = await createLinkedBlob(metadata(), repository)
    await hideLink(metadata(), repository, digest)
    const pin = { repositoryId: repository.id, digests: [digest], now: 2 }
    expect((await metadata().transact((tx) => pinLinkedBlobs(tx, pin))).has(digest)).toBe(true)
    expect(await findLinkedBlob(metadata().reader, repository.name, digest)).toBeDefined()
  })

  test('returns the sizes of the pinned blobs, without blobs that are missing here', async () => {
    const repository = await createRepository(metadata())
    const other = await createRepository(metadata())
    const present = await createLinkedBlob(metadata(), repository)
    const elsewhere = await createLinkedBlob(metadata(), other)
    const missing = numbers(5).map(() => aDigest())
    const digests = [elsewhere, ...missing, present, elsewhere, present]
    const pin = { repositoryId: repository.id, digests, now: 2 }
    const found = await findBlob(metadata().reader, present)
    const pinned = await metadata().transact((tx) => pinLinkedBlobs(tx, pin))
    expect([...pinned]).toEqual([[present, found?.size]])
    const nothing = { repositoryId: repository.id, digests: [], now: 2 }
    expect((await metadata().transact((tx) => pinLinkedBlobs(tx, nothing))).size).toBe(0)
  })

  test('pins 3,000 blobs at once', async () => {
    const repository = await createRepository(metadata())
    const prefix = unique('many')
    const digests = numbers(3_000).map((index) => digestBytes(new TextEncoder().encode(`${prefix}-${index}`)))
    const [missing, ...present] = digests
    await metadata().transact(async (tx) => {
      for (const digest of present) {
        await insertBlob(tx, { digest, storageKey: unique('key'), size: 1, createdAt: 1 })
        await linkBlob(tx, { repositoryId: repository.id, digest, now: 1 })
      }
    })
    const pin = { repositoryId: repository.id, digests, now: 2 }
    const pinned = await metadata().transact((tx) => pinLinkedBlobs(tx, pin))
    expect(digests.filter((digest) => pinned.get(digest) !== 1)).toEqual([missing])
  }, 30_000)
}
