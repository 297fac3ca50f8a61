import { expect, test } from 'vitest'
import type { RepositoryName } from '../../../oci/repository-name.ts'
import { listRepositories } from '../../repositories/list-repositories.ts'
import { ensureRepository, findRepository } from '../../repositories/repositories.ts'
import { aName, createRepository, numbers, unique } from '../builders.ts'
import type { ContractSubject } from '../contract-subject.ts'

const visible = { all: true } as const

export function testRepositories({ metadata }: ContractSubject): void {
  test('finds nothing under an unknown name', async () => {
    expect(await findRepository(metadata().reader, aName())).toBeUndefined()
  })

  test('creates owner and repository once, and keeps the first visibility', async () => {
    const name = aName()
    const first = await createRepository(metadata(), { name, visibility: 'internal' })
    const second = await createRepository(metadata(), { name, visibility: 'public' })
    expect(second).toEqual(first)
    expect(second.visibility).toBe('internal')
    const sibling = await createRepository(metadata())
    expect(sibling.ownerId).toBe(first.ownerId)
    expect(sibling.id).not.toBe(first.id)
  })

  test('gives 20 concurrent creators the same repository', async () => {
    const name = `${unique('newcomer')}/app` as RepositoryName
    const created = await Promise.all(numbers(20).map(() => createRepository(metadata(), { name })))
    expect(new Set(created.map((repository) => repository.id)).size).toBe(1)
  })

  test('lists names in byte order', async () => {
    const owner = unique('order')
    const images = ['a', 'a-b', 'a.b', 'a/b', 'a0', 'a_b', 'ab', 'ab/c', 'b']
    for (const image of images.toReversed()) {
      await createRepository(metadata(), { name: `${owner}/${image}` as RepositoryName })
    }
    const page = await listRepositories(metadata().reader, {
      after: `${owner}/`,
      limit: images.length,
      visible,
    })
    expect(page).toEqual(images.map((image) => `${owner}/${image}`))
  })

  test('continues after a name, whether or not it exists', async () => {
    const owner = unique('pages')
    const names = numbers(250).map((index) => `${owner}/${String(index).padStart(3, '0')}` as RepositoryName)
    await metadata().transact(async (tx) => {
      for (const name of names) await ensureRepository(tx, { name, visibility: 'private', now: 1 })
    })
    const { reader } = metadata()
    expect(await listRepositories(reader, { after: `${owner}/240`, limit: 5, visible })).toEqual(
      names.slice(241, 246),
    )
    expect(await listRepositories(reader, { after: `${owner}/2405`, limit: 5, visible })).toEqual(
      names.slice(241, 246),
    )
  })
}
