import { expect, test } from 'vitest'
import {
  findBlob,
  findLinkedBlob,
  insertBlob,
  listBlobLocations,
  linkBlob,
  listUnlinkedBlobs,
  pinBlob,
  removeUnlinkedBlob,
  replaceBlob,
  unlinkBlob,
} from '../../content/blobs.ts'
import { Conflict } from '../../errors.ts'
import { listDeadKeys } from '../list-dead-keys.ts'
import type { Metadata } from '../../metadata.ts'
import { aDigest, createLinkedBlob, createRepository, insertAnyBlob, numbers, unique } from '../builders.ts'
import type { ContractSubject } from '../contract-subject.ts'

// Other suites leave blobs in the same database.
const many = 10_000

async function unlinkedDigests(metadata: Metadata, before: number): Promise<string[]> {
  const blobs = await listUnlinkedBlobs(metadata.reader, { before, limit: many })
  return blobs.map((blob) => blob.digest)
}

export function testBlobs({ metadata }: ContractSubject): void {
  test('finds an inserted blob, and nothing under another digest', async () => {
    const blob = { digest: aDigest(), storageKey: unique('key'), size: 2 ** 40 + 1 }
    const inserted = await metadata().transact((tx) => insertBlob(tx, { ...blob, createdAt: 1 }))
    expect(inserted).toEqual(blob)
    expect(await findBlob(metadata().reader, blob.digest)).toEqual(blob)
    expect(await metadata().transact((tx) => pinBlob(tx, blob.digest))).toEqual(blob)
    expect(await findBlob(metadata().reader, aDigest())).toBeUndefined()
    expect(await metadata().transact((tx) => pinBlob(tx, aDigest()))).toBeUndefined()
  })

  test('gives 50 concurrent uploads of one content the same row', async () => {
    const digest = aDigest()
    const rows = await Promise.all(
      numbers(50).map((index) =>
        metadata().transact((tx) =>
          insertBlob(tx, { digest, storageKey: unique(`racer-${index}`), size: 3, createdAt: 1 }),
        ),
      ),
    )
    expect(new Set(rows.map((row) => row.storageKey)).size).toBe(1)
    expect(await findBlob(metadata().reader, digest)).toEqual(rows[0])
  })

  test('replaces the key of a damaged blob once, and makes the old one a dead key', async () => {
    const repository = await createRepository(metadata())
    const digest = await createLinkedBlob(metadata(), repository)
    const storageKey = (await findBlob(metadata().reader, digest))?.storageKey ?? ''
    const healers = numbers(10).map((index) => ({
      digest,
      storageKey: unique(`healer-${index}`),
      size: 9,
      createdAt: 7,
    }))
    const replaced = await Promise.all(
      healers.map((blob) => metadata().transact((tx) => replaceBlob(tx, { storageKey }, blob))),
    )
    expect(replaced.filter(Boolean)).toHaveLength(1)
    const winner = healers[replaced.indexOf(true)]
    const location = { digest, storageKey: winner?.storageKey, size: 9 }
    expect(await findLinkedBlob(metadata().reader, repository.name, digest)).toEqual(location)
    const dead = await listDeadKeys(metadata().reader, { limit: many })
    expect(dead.filter((key) => key.digest === digest)).toEqual([{ storageKey, digest }])
  })

  test('replaces nothing when the blob was collected, and inserts it again', async () => {
    const blob = { digest: aDigest(), storageKey: unique('key'), size: 3, createdAt: 1 }
    const damaged = { storageKey: unique('damaged') }
    const outcome = await metadata().transact(async (tx) => ({
      replaced: await replaceBlob(tx, damaged, blob),
      row: await insertBlob(tx, blob),
    }))
    expect(outcome).toMatchObject({ replaced: false, row: { storageKey: blob.storageKey } })
  })

  test('lists the locations of blobs, without digests that have no row', async () => {
    const repository = await createRepository(metadata())
    const first = await createLinkedBlob(metadata(), repository)
    const second = await createLinkedBlob(metadata(), repository)
    const { reader } = metadata()
    const found = await listBlobLocations(reader, [first, aDigest(), second])
    const expected = await Promise.all([first, second].map((digest) => findBlob(reader, digest)))
    expect(new Set(found)).toEqual(new Set(expected))
    expect(await listBlobLocations(metadata().reader, [])).toEqual([])
  })

  test('refuses to link a blob that does not exist', async () => {
    const repository = await createRepository(metadata())
    const attempt = metadata().transact((tx) =>
      linkBlob(tx, { repositoryId: repository.id, digest: aDigest(), now: 1 }),
    )
    await expect(attempt).rejects.toBeInstanceOf(Conflict)
  })

  test('lists blobs without links, oldest first, and only those created before', async () => {
    const repository = await createRepository(metadata())
    const [old, older, young, linked] = await metadata().transact(async (tx) => {
      const digests = [
        await insertAnyBlob(tx, { createdAt: 502 }),
        await insertAnyBlob(tx, { createdAt: 501 }),
        await insertAnyBlob(tx, { createdAt: 503 }),
        await insertAnyBlob(tx, { createdAt: 500 }),
      ] as const
      await linkBlob(tx, { repositoryId: repository.id, digest: digests[3], now: 1 })
      return digests
    })
    const listed = await unlinkedDigests(metadata(), 503)
    expect(listed.filter((digest) => [old, older, young, linked].includes(digest as typeof old))).toEqual([
      older,
      old,
    ])
  })

  test('lists a blob again when its last link is removed', async () => {
    const one = await createRepository(metadata())
    const two = await createRepository(metadata())
    const digest = await createLinkedBlob(metadata(), one)
    await metadata().transact((tx) => linkBlob(tx, { repositoryId: two.id, digest, now: 1 }))
    await metadata().transact((tx) => unlinkBlob(tx, { repositoryId: one.id, digest }))
    expect(await unlinkedDigests(metadata(), 2)).not.toContain(digest)
    await metadata().transact((tx) => unlinkBlob(tx, { repositoryId: two.id, digest }))
    expect(await unlinkedDigests(metadata(), 2)).toContain(digest)
    await metadata().transact((tx) => linkBlob(tx, { repositoryId: one.id, digest, now: 1 }))
    expect(await unlinkedDigests(metadata(), 2)).not.toContain(digest)
  })

  test('finds blobs without links after concurrent unlinks from 10 repositories', async () => {
    const repositories = await Promise.all(numbers(10).map(() => createRepository(metadata())))
    const digest = await metadata().transact(async (tx) => {
      const inserted = await insertAnyBlob(tx)
      for (const { id } of repositories) await linkBlob(tx, { repositoryId: id, digest: inserted, now: 1 })
      return inserted
    })
    await Promise.all(
      repositories.map(({ id }) => metadata().transact((tx) => unlinkBlob(tx, { repositoryId: id, digest }))),
    )
    expect(await unlinkedDigests(metadata(), 2)).toContain(digest)
  })

  test('removes an unlinked blob and leaves its key as a dead key', async () => {
    const digest = await metadata().transact((tx) => insertAnyBlob(tx))
    const blob = await findBlob(metadata().reader, digest)
    const removed = await metadata().transact((tx) => removeUnlinkedBlob(tx, { digest, now: 9 }))
    expect(removed).toEqual(blob)
    expect(await findBlob(metadata().reader, digest)).toBeUndefined()
    const dead = await listDeadKeys(metadata().reader, { limit: many })
    expect(dead).toContainEqual({ storageKey: blob?.storageKey, digest })
    expect(await metadata().transact((tx) => removeUnlinkedBlob(tx, { digest, now: 9 }))).toBeUndefined()
  })

  test('does not remove a blob that was linked since', async () => {
    const repository = await createRepository(metadata())
    const digest = await createLinkedBlob(metadata(), repository)
    expect(await metadata().transact((tx) => removeUnlinkedBlob(tx, { digest, now: 9 }))).toBeUndefined()
    expect(await findLinkedBlob(metadata().reader, repository.name, digest)).toBeDefined()
  })

  test('accepts content that was removed before under a new key', async () => {
    const digest = await metadata().transact((tx) => insertAnyBlob(tx))
    await metadata().transact((tx) => removeUnlinkedBlob(tx, { digest, now: 9 }))
    const blob = { digest, storageKey: unique('key'), size: 7 }
    expect(await metadata().transact((tx) => insertBlob(tx, { ...blob, createdAt: 10 }))).toEqual(blob)
  })
}
