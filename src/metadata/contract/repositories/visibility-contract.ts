import { expect, test } from 'vitest'
import type { Digest } from '../../../oci/digest.ts'
import type { RepositoryName } from '../../../oci/repository-name.ts'
import { linkBlob } from '../../content/blobs.ts'
import type { Metadata } from '../../metadata.ts'
import { isMountable } from '../content/mountable.ts'
import { listRepositories } from '../../repositories/list-repositories.ts'
import {
  findRepositoryAccess,
  listRepositoryAccess,
  setRepositoryVisibility,
} from '../../repositories/repositories.ts'
import type { Repository } from '../../repositories/repositories.ts'
import { kyselyOf } from '../../sql/database.ts'
import type { VisibleRepositories } from '../../repositories/visible-repositories.ts'
import { aDigest, aName, createRepository, insertAnyBlob, numbers, unique } from '../builders.ts'
import type { ContractSubject } from '../contract-subject.ts'

const visibilities = ['public', 'internal', 'private'] as const

/** Creates the owners `<prefix>-public` and so on, each with a repository `public` and so on. */
async function createAll(metadata: Metadata): Promise<{ prefix: string; repositories: Repository[] }> {
  const prefix = unique('seen')
  const repositories: Repository[] = []
  for (const owner of visibilities) {
    for (const visibility of visibilities) {
      const name = `${prefix}-${owner}/${visibility}` as RepositoryName
      repositories.push(await createRepository(metadata, { name, visibility }))
    }
    await metadata.transact(async (tx) => {
      const update = kyselyOf(tx).updateTable('owner').set({ visibility: owner })
      await update.where('name', '=', `${prefix}-${owner}`).execute()
    })
  }
  return { prefix, repositories }
}

function cases(prefix: string): readonly (readonly [VisibleRepositories, readonly string[]])[] {
  const ofPublic = ['public/public']
  const ofInternal = ['internal/internal', 'internal/public', 'public/internal', 'public/public']
  const own = ['private/internal', 'private/private', 'private/public']
  const everything = visibilities.flatMap((owner) => visibilities.map((name) => `${owner}/${name}`))
  return [
    [{ all: true }, everything.toSorted()],
    [{ all: false, public: false, owner: undefined }, []],
    [{ all: false, public: true, owner: undefined }, ofPublic],
    [{ all: false, public: true, internal: true, owner: undefined }, ofInternal],
    [{ all: false, public: true, internal: true, owner: unique('nobody') }, ofInternal],
    [{ all: false, public: false, owner: `${prefix}-private` }, own],
    [
      { all: false, public: true, internal: true, owner: `${prefix}-private` },
      [...ofInternal, ...own].toSorted(),
    ],
    [
      { all: false, public: true, owner: `${prefix}-public` },
      ['public/internal', 'public/private', 'public/public'],
    ],
  ]
}

export function testVisibility({ metadata }: ContractSubject): void {
  test('returns the visibilities that decide who sees a repository, and changes them', async () => {
    const name = aName()
    const { reader } = metadata()
    expect(await findRepositoryAccess(reader, name)).toBeUndefined()
    const { id } = await createRepository(metadata(), { name, visibility: 'private' })
    const access = { id, visibility: 'private', ownerVisibility: 'public', ownerName: name.split('/')[0] }
    expect(await findRepositoryAccess(reader, name)).toEqual(access)
    const change = { name, visibility: 'internal' as const }
    expect(await metadata().transact((tx) => setRepositoryVisibility(tx, change))).toBe('private')
    expect(await findRepositoryAccess(reader, name)).toEqual({ ...access, visibility: 'internal' })
    const unknown = { ...change, name: aName() }
    expect(await metadata().transact((tx) => setRepositoryVisibility(tx, unknown))).toBeUndefined()
    const before = name.slice(0, -1)
    expect(await listRepositoryAccess(reader, { after: before, limit: 1 })).toEqual([
      { ...access, name, visibility: 'internal' },
    ])
  })

  test('lists every visible repository once and in order', async () => {
    const { prefix } = await createAll(metadata())
    for (const [visible, expected] of cases(prefix)) {
      const names = await listRepositories(metadata().reader, { after: `${prefix}-`, limit: 9, visible })
      const ours = names.filter((name) => name.startsWith(`${prefix}-`))
      expect(ours).toEqual(expected.map((name) => `${prefix}-${name}`))
    }
  })

  test('lists visible repositories page by page', async () => {
    const { prefix } = await createAll(metadata())
    const visible = { all: false, public: true, internal: true, owner: `${prefix}-private` } as const
    const found: string[] = []
    let after = `${prefix}-`
    for (const _ of numbers(4)) {
      const page = await listRepositories(metadata().reader, { after, limit: 2, visible })
      found.push(...page.filter((name) => name.startsWith(`${prefix}-`)))
      after = page.at(-1) ?? after
    }
    expect(found).toHaveLength(7)
    expect(found).toEqual([...new Set(found)].toSorted())
  })

  test('an owner does not see repositories of an owner whose name only starts the same', async () => {
    const owner = unique('own')
    for (const other of [`${owner}-2`, `${owner}0`, `${owner}.x`, owner]) {
      await createRepository(metadata(), { name: `${other}/app` as RepositoryName })
    }
    const visible = { all: false, public: false, owner } as const
    expect(await listRepositories(metadata().reader, { limit: 10, visible })).toEqual([`${owner}/app`])
  })

  test('mounts only from visible repositories', async () => {
    const { prefix, repositories } = await createAll(metadata())
    const digests = new Map<string, Digest>()
    for (const { id, name } of repositories) {
      const digest = await metadata().transact(async (tx) => {
        const inserted = await insertAnyBlob(tx)
        await linkBlob(tx, { repositoryId: id, digest: inserted, now: 1 })
        return inserted
      })
      digests.set(name, digest)
    }
    const mountable = async (visible: VisibleRepositories, isNamed: boolean): Promise<string[]> => {
      const found: string[] = []
      for (const [name, digest] of digests) {
        const source = isNamed ? { from: name as RepositoryName } : {}
        const search = { digest, ...source, visible, target: aName() }
        if (await isMountable(metadata().reader, search)) found.push(name)
      }
      return found.toSorted()
    }
    for (const [visible, expected] of cases(prefix)) {
      const names = expected.map((name) => `${prefix}-${name}`)
      expect(await mountable(visible, true)).toEqual(names)
      expect(await mountable(visible, false)).toEqual(names)
    }
  })

  test('mounts a blob that the target has itself, if no source is named', async () => {
    const { reader } = metadata()
    const target = await createRepository(metadata())
    const visible = { all: false, public: false, owner: undefined } as const
    const digest = await metadata().transact(async (tx) => {
      const inserted = await insertAnyBlob(tx)
      await linkBlob(tx, { repositoryId: target.id, digest: inserted, now: 1 })
      return inserted
    })
    expect(await isMountable(reader, { digest, visible, target: target.name })).toBe(true)
    expect(await isMountable(reader, { digest, from: target.name, visible, target: aName() })).toBe(false)
    expect(await isMountable(reader, { digest: aDigest(), visible, target: target.name })).toBe(false)
  })
}
