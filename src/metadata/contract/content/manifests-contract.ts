import { expect, test } from 'vitest'
import { digestBytes } from '../../../oci/digest.ts'
import type { Digest } from '../../../oci/digest.ts'
import { pinLinkedBlobs } from '../../content/blobs.ts'
import type { Transaction } from '../../handles.ts'
import {
  findManifest,
  findManifestContent,
  findManifestSize,
  insertManifest,
  findManifestSizes,
} from '../../content/manifests.ts'
import { deleteManifest } from '../../content/manifest-deletion.ts'
import type { Repository } from '../../repositories/repositories.ts'
import { kyselyOf } from '../../sql/database.ts'
import { putTag } from '../../content/tags.ts'
import {
  aDigest,
  aManifest,
  aName,
  aTag,
  findTag,
  createRepository,
  numbers,
  pushManifest,
  unique,
} from '../builders.ts'
import type { ContractSubject } from '../contract-subject.ts'
import { countTurns } from '../wrapped-metadata.ts'

function byDigest(digest: Digest): { kind: 'digest'; digest: Digest } {
  return { kind: 'digest', digest }
}

function byTag(name: string) {
  return { kind: 'tag' as const, tag: aTag(name) }
}

export function testManifests({ metadata }: ContractSubject): void {
  const find = (repository: Repository, digest: Digest) =>
    findManifest(metadata().reader, repository.name, byDigest(digest))
  const remove = (repository: Repository, digest: Digest) =>
    metadata().transact((tx) => deleteManifest(tx, { repositoryId: repository.id, digest, maxTags: 100 }))

  test('finds a manifest by digest and by tag, in its repository only', async () => {
    const repository = await createRepository(metadata(), { visibility: 'internal' })
    const other = await createRepository(metadata())
    const manifest = aManifest(repository)
    const { reader } = metadata()
    const inserted = await metadata().transact(async (tx) => {
      const result = await insertManifest(tx, manifest)
      await putTag(tx, { repositoryId: repository.id, name: aTag('Latest'), digest: manifest.digest, now: 1 })
      return result
    })
    expect(inserted.created).toBe(true)
    const { digest, mediaType, size } = manifest
    const found = {
      repositoryId: repository.id,
      visibility: 'internal',
      id: inserted.id,
      digest,
      mediaType,
      size,
    }
    expect(await find(repository, digest)).toEqual(found)
    expect(await findManifest(reader, repository.name, byTag('Latest'))).toEqual(found)
    expect(await findManifest(reader, repository.name, byTag('latest'))).toBeUndefined()
    expect(await find(other, digest)).toBeUndefined()
    expect(await findManifest(reader, aName(), byTag('Latest'))).toBeUndefined()
  })

  test('keeps 10 MiB of arbitrary bytes exactly', async () => {
    const repository = await createRepository(metadata())
    const bytes = Uint8Array.from(
      { length: 10 * 1024 * 1024 },
      (_, index) => (index * 31 + (index >> 8)) % 256,
    )
    const { digest } = await pushManifest(metadata(), repository, { bytes })
    const content = await findManifestContent(metadata().reader, digest)
    expect(content === undefined ? undefined : digestBytes(content)).toBe(digest)
    expect(await findManifestContent(metadata().reader, aDigest())).toBeUndefined()
  })

  test('restores truncated bytes with a second push', async () => {
    const repository = await createRepository(metadata())
    const manifest = aManifest(repository)
    const { digest, bytes, size } = manifest
    const { reader } = metadata()
    const push = () => metadata().transact((tx) => insertManifest(tx, manifest))
    await push()
    expect(await findManifestSize(reader, digest)).toBe(size)
    await metadata().transact((tx) =>
      kyselyOf(tx)
        .updateTable('manifest_content')
        .set({ bytes: bytes.subarray(0, 5) })
        .where('digest', '=', digest)
        .execute(),
    )
    expect(await findManifestSize(reader, digest)).toBe(5)
    await push()
    expect(Buffer.from((await findManifestContent(reader, digest)) ?? [])).toEqual(Buffer.from(bytes))
    expect(await findManifestSize(reader, aDigest())).toBeUndefined()
  })

  test('updates media type, pusher and time with a second push, and keeps the rest', async () => {
    const repository = await createRepository(metadata())
    const first = aManifest(repository, {
      blobs: [{ digest: aDigest(), role: 'config', mediaType: 'a/b', size: 1 }],
      properties: [{ name: 'n', value: 'v' }],
    })
    const created = await metadata().transact((tx) => insertManifest(tx, first))
    const second = {
      ...first,
      mediaType: 'application/other',
      pushedBy: 'second',
      now: 99,
      blobs: [],
      properties: [],
    }
    const renewed = await metadata().transact((tx) => insertManifest(tx, second))
    expect(renewed).toEqual({ id: created.id, created: false })
    expect(await find(repository, first.digest)).toMatchObject({ mediaType: 'application/other' })
    const row = await kyselyOf(metadata().reader)
      .selectFrom('manifest')
      .select(['pushed_by', 'pushed_at', 'created_at'])
      .where('id', '=', created.id)
      .executeTakeFirst()
    expect({ ...row }).toEqual({ pushed_by: 'second', pushed_at: 99, created_at: 1 })
    const blobs = await kyselyOf(metadata().reader)
      .selectFrom('manifest_blob')
      .select('role')
      .where('manifest_id', '=', created.id)
      .execute()
    expect(blobs.map((blob) => blob.role)).toEqual(['config'])
  })

  test('creates one row among 20 concurrent pushes', async () => {
    const repository = await createRepository(metadata())
    const manifest = aManifest(repository)
    const results = await Promise.all(
      numbers(20).map(() => metadata().transact((tx) => insertManifest(tx, manifest))),
    )
    expect(results.filter((result) => result.created)).toHaveLength(1)
    expect(new Set(results.map((result) => result.id)).size).toBe(1)
  })

  test('accepts 3,000 references and text that contains NUL', async () => {
    const repository = await createRepository(metadata())
    const digests = numbers(3_000).map((index) => aDigest(`reference-${index}`))
    const manifest = await pushManifest(metadata(), repository, {
      platform: 'li\0nux/amd64',
      blobs: digests.map((digest, size) => ({ digest, role: 'layer', mediaType: 'a/b', size })),
      children: digests.map((digest) => ({ digest, platform: 'linux/arm64/v8' })),
      properties: [
        { name: 'nul', value: 'a\0b' },
        { name: 'nul', value: 'twice' },
        { name: 'long', value: 'x'.repeat(100_000) },
      ],
    })
    const found = await find(repository, manifest.digest)
    const properties = await kyselyOf(metadata().reader)
      .selectFrom('property')
      .select('value')
      .where('ref_type', '=', 'manifest')
      .where('ref_id', '=', found?.id ?? 0)
      .orderBy('id')
      .execute()
    expect(properties.map((property) => property.value.slice(0, 5))).toEqual(['a\uFFFDb', 'twice', 'xxxxx'])
    expect(await remove(repository, manifest.digest)).toBeDefined()
    expect(await find(repository, manifest.digest)).toBeUndefined()
  })

  test('deletes a manifest with its tags, and names them in byte order', async () => {
    const repository = await createRepository(metadata())
    const manifest = await pushManifest(metadata(), repository)
    const kept = await pushManifest(metadata(), repository)
    const tag = (name: string, digest: Digest) =>
      metadata().transact((tx) =>
        putTag(tx, { repositoryId: repository.id, name: aTag(name), digest, now: 1 }),
      )
    for (const name of ['b', 'test0', 'TEST0', 'a']) await tag(name, manifest.digest)
    await tag('kept', kept.digest)
    const deleted = await remove(repository, manifest.digest)
    expect(deleted).toEqual({
      tags: ['TEST0', 'a', 'b', 'test0'],
      mediaType: manifest.mediaType,
      isWhole: true,
    })
    expect(await remove(repository, manifest.digest)).toBeUndefined()
    expect(await findTag(metadata(), { repositoryId: repository.id, name: aTag('a') })).toBeUndefined()
    expect(await findManifest(metadata().reader, repository.name, byTag('kept'))).toBeDefined()
    expect(await findManifestContent(metadata().reader, manifest.digest)).toBeUndefined()
  })

  test('removes only tags if there are `maxTags` or more', async () => {
    const repository = await createRepository(metadata())
    const { digest } = await pushManifest(metadata(), repository)
    const names = ['a', 'b', 'c', 'd']
    for (const name of names) {
      const tag = { repositoryId: repository.id, name: aTag(name), digest, now: 1 }
      await metadata().transact((tx) => putTag(tx, tag))
    }
    const deleteSome = () =>
      metadata().transact((tx) => deleteManifest(tx, { repositoryId: repository.id, digest, maxTags: 2 }))
    const deletions = [await deleteSome(), await deleteSome()]
    expect(deletions.map((one) => one?.isWhole)).toEqual([false, false])
    expect(deletions.flatMap((one) => one?.tags ?? []).toSorted()).toEqual(names)
    expect(await findManifest(metadata().reader, repository.name, { kind: 'digest', digest })).toBeDefined()
    expect(await deleteSome()).toMatchObject({ tags: [], isWhole: true })
    expect(await deleteSome()).toBeUndefined()
  })

  test('gives others turns while thousands of rows of one manifest are added and removed', async ({
    skip,
  }) => {
    skip(metadata().dialect !== 'sqlite', 'PostgreSQL answers from another process')
    const repository = await createRepository(metadata())
    const digests = numbers(2_000).map(() => aDigest())
    const blobs = digests.map((digest) => ({ digest, role: 'layer', mediaType: 'a/b', size: 7 }) as const)
    const turnsOf = (work: (tx: Transaction) => Promise<unknown>) => countTurns(metadata(), work)
    const repositoryId = repository.id
    const manifest = aManifest(repository, { blobs })
    expect(await turnsOf((tx) => pinLinkedBlobs(tx, { repositoryId, digests, now: 1 }))).toBeGreaterThan(2)
    expect(await turnsOf((tx) => insertManifest(tx, manifest))).toBeGreaterThan(2)
    expect(await turnsOf((tx) => findManifestSizes(tx, { repositoryId, digests }))).toBeGreaterThan(2)
    const key = { repositoryId, digest: manifest.digest, maxTags: 100 }
    expect(await turnsOf((tx) => deleteManifest(tx, key))).toBeGreaterThan(2)
  })

  test('keeps the bytes while another repository has the manifest', async () => {
    const one = await createRepository(metadata())
    const two = await createRepository(metadata())
    const { bytes, digest } = await pushManifest(metadata(), one)
    await pushManifest(metadata(), two, { bytes })
    await remove(one, digest)
    expect(await findManifestContent(metadata().reader, digest)).toBeDefined()
    await remove(two, digest)
    expect(await findManifestContent(metadata().reader, digest)).toBeUndefined()
  })

  test('never leaves a manifest without bytes when pushes and deletes of one digest race', async () => {
    const repositories = await Promise.all(numbers(6).map(() => createRepository(metadata())))
    const bytes = new TextEncoder().encode(unique('raced'))
    const digest = digestBytes(bytes)
    const work = repositories.flatMap((repository, index) => [
      pushManifest(metadata(), repository, { bytes }),
      index % 2 === 0 ? remove(repository, digest) : pushManifest(metadata(), repository, { bytes }),
    ])
    await Promise.all(work)
    const found = await Promise.all(repositories.map((repository) => find(repository, digest)))
    expect(found.filter(Boolean).length).toBeGreaterThanOrEqual(3)
    expect(await findManifestContent(metadata().reader, digest)).toBeDefined()
  })

  test('never leaves a tag without its manifest when tagging and deleting race', async () => {
    const repository = await createRepository(metadata())
    const { bytes, digest } = await pushManifest(metadata(), repository)
    await Promise.all([
      ...numbers(10).map((index) =>
        metadata().transact(async (tx) => {
          await insertManifest(tx, aManifest(repository, { bytes }))
          await putTag(tx, { repositoryId: repository.id, name: aTag(`t${index}`), digest, now: 1 })
        }),
      ),
      ...numbers(5).map(() => remove(repository, digest)),
    ])
    const exists = (await find(repository, digest)) !== undefined
    for (const index of numbers(10)) {
      const key = { repositoryId: repository.id, name: aTag(`t${index}`) }
      const tag = await findTag(metadata(), key)
      expect(tag === undefined || exists).toBe(true)
    }
  })

  test('finds the size of the manifest that a repository has, among 3,000 digests', async () => {
    const repository = await createRepository(metadata())
    const { digest } = await pushManifest(metadata(), repository)
    const missing = numbers(3_000).map((index) => aDigest(`missing-${index}`))
    const digests = [...missing, digest, digest, ...missing]
    const list = (asked: readonly Digest[]) =>
      metadata().transact((tx) => findManifestSizes(tx, { repositoryId: repository.id, digests: asked }))
    const found = await findManifest(metadata().reader, repository.name, { kind: 'digest', digest })
    expect([...(await list(digests))]).toEqual([[digest, found?.size]])
    expect((await list([])).size).toBe(0)
  })
}
