import { expect, test } from 'vitest'
import type { Digest } from '../../../oci/digest.ts'
import { Conflict } from '../../errors.ts'
import type { Repository } from '../../repositories/repositories.ts'
import { deleteTag, listTags, putTag } from '../../content/tags.ts'
import { aDigest, aTag, createRepository, findTag, numbers, pushManifest } from '../builders.ts'
import type { ContractSubject } from '../contract-subject.ts'

export function testTags({ metadata }: ContractSubject): void {
  const put = (repository: Repository, name: string, digest: Digest) =>
    metadata().transact((tx) => putTag(tx, { repositoryId: repository.id, name: aTag(name), digest, now: 1 }))
  const find = (repository: Repository, name: string) =>
    findTag(metadata(), { repositoryId: repository.id, name: aTag(name) })

  test('creates a tag, moves it and returns its previous manifest', async () => {
    const repository = await createRepository(metadata())
    const one = await pushManifest(metadata(), repository)
    const two = await pushManifest(metadata(), repository)
    expect(await find(repository, 'latest')).toBeUndefined()
    expect(await put(repository, 'latest', one.digest)).toEqual({ before: undefined })
    expect(await put(repository, 'latest', two.digest)).toEqual({ before: one.digest })
    expect(await put(repository, 'latest', two.digest)).toEqual({ before: two.digest })
    expect(await find(repository, 'latest')).toEqual({ digest: two.digest })
    expect(await find(repository, 'Latest')).toBeUndefined()
  })

  test('deletes a tag once and leaves its manifest', async () => {
    const repository = await createRepository(metadata())
    const { digest } = await pushManifest(metadata(), repository)
    await put(repository, 'v1', digest)
    await put(repository, 'v2', digest)
    const remove = () =>
      metadata().transact((tx) => deleteTag(tx, { repositoryId: repository.id, name: aTag('v1') }))
    expect(await remove()).toEqual({ before: digest })
    expect(await remove()).toBeUndefined()
    expect(await find(repository, 'v2')).toEqual({ digest })
  })

  test('refuses to point a tag at a manifest that the repository does not have', async () => {
    const repository = await createRepository(metadata())
    await expect(put(repository, 'latest', aDigest())).rejects.toBeInstanceOf(Conflict)
  })

  test('gives racing writers an exact chain of predecessors', async () => {
    const repository = await createRepository(metadata())
    const manifests = await Promise.all(numbers(30).map(() => pushManifest(metadata(), repository)))
    const moves = await Promise.all(
      manifests.map(async ({ digest }) => ({ digest, ...(await put(repository, 'raced', digest)) })),
    )
    const successor = new Map(moves.map((move) => [move.before, move.digest]))
    expect(successor.size).toBe(30)
    let last: Digest | undefined
    for (const _ of numbers(30)) last = successor.get(last)
    expect(await find(repository, 'raced')).toEqual({ digest: last })
  })

  test('creates a tag once among racing writers of the same digest', async () => {
    const repository = await createRepository(metadata())
    const { digest } = await pushManifest(metadata(), repository)
    const moves = await Promise.all(numbers(50).map(() => put(repository, 'same', digest)))
    expect(moves.filter((move) => move.before === undefined)).toHaveLength(1)
  })

  test('lists names in byte order, upper case first, without special characters', async () => {
    const repository = await createRepository(metadata())
    const { digest } = await pushManifest(metadata(), repository)
    const names = [
      '%',
      '*',
      '0',
      'A%',
      'TEST0',
      'Z',
      '[a]',
      '_',
      '_a',
      'a',
      'a-',
      'a.',
      'a0',
      'aa',
      'test0',
      'test00',
    ]
    for (const name of names.toReversed()) await put(repository, name, digest)
    const list = (after?: string) =>
      listTags(metadata().reader, { repositoryId: repository.id, after, limit: 100 })
    expect(await list()).toEqual(names)
    expect(await list('TEST0')).toEqual(names.slice(5))
    expect(await list('_')).toEqual(names.slice(8))
    expect(await list('test0')).toEqual(['test00'])
    expect(await list('zz')).toEqual([])
  })

  test('walks 2,500 tags page by page', async () => {
    const repository = await createRepository(metadata())
    const { digest } = await pushManifest(metadata(), repository)
    const names = numbers(2_500).map((index) => `v${String(index).padStart(4, '0')}`)
    await metadata().transact(async (tx) => {
      for (const name of names) {
        await putTag(tx, { repositoryId: repository.id, name: aTag(name), digest, now: 1 })
      }
    })
    const walked: string[] = []
    for (let after: string | undefined; ;) {
      const page = await listTags(metadata().reader, { repositoryId: repository.id, after, limit: 99 })
      if (page.length === 0) break
      walked.push(...page)
      after = page.at(-1)
    }
    expect(walked).toEqual(names)
  }, 30_000)
}
