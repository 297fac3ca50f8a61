import { expect, test } from 'vitest'
import { deleteManifest } from '../manifest-deletion.ts'
import { listReferrers } from '../referrers.ts'
import { aDigest, aName, createRepository, numbers, pushManifest } from './builders.ts'
import type { ContractSubject } from './contract-subject.ts'

export function testReferrers({ metadata }: ContractSubject): void {
  test('lists descriptors in the order of the pushes, whether the subject exists or not', async () => {
    const repository = await createRepository(metadata())
    const subject = aDigest()
    const descriptors = numbers(5).map((index) => `{"index":${index}}`)
    for (const descriptor of descriptors) await pushManifest(metadata(), repository, { subject, descriptor })
    await pushManifest(metadata(), repository, { subject: aDigest() })
    await pushManifest(metadata(), repository)
    const page = { repository: repository.name, subject, artifactTypes: [], limit: 3 }
    const first = await listReferrers(metadata().reader, page)
    expect(first.map((row) => row.descriptor)).toEqual(descriptors.slice(0, 3))
    const second = await listReferrers(metadata().reader, { ...page, after: first.at(-1)?.id })
    expect(second.map((row) => row.descriptor)).toEqual(descriptors.slice(3))
  })

  test('lists nothing for another subject, another repository or an unknown one', async () => {
    const repository = await createRepository(metadata())
    const other = await createRepository(metadata())
    const subject = aDigest()
    await pushManifest(metadata(), repository, { subject })
    const list = (name: typeof repository.name, asked = subject) =>
      listReferrers(metadata().reader, { repository: name, subject: asked, artifactTypes: [], limit: 10 })
    expect(await list(repository.name)).toHaveLength(1)
    expect(await list(repository.name, aDigest())).toEqual([])
    expect(await list(other.name)).toEqual([])
    expect(await list(aName())).toEqual([])
  })

  test('filters by any of several artifact types', async () => {
    const repository = await createRepository(metadata())
    const subject = aDigest()
    for (const artifactType of ['a/sbom', 'a/signature', undefined, 'a/sbom']) {
      const descriptor = String(artifactType)
      await pushManifest(metadata(), repository, { subject, artifactType, descriptor })
    }
    const list = async (artifactTypes: readonly string[]) => {
      const page = { repository: repository.name, subject, artifactTypes, limit: 10 }
      return (await listReferrers(metadata().reader, page)).map((row) => row.descriptor)
    }
    expect(await list([])).toEqual(['a/sbom', 'a/signature', 'undefined', 'a/sbom'])
    expect(await list(['a/sbom'])).toEqual(['a/sbom', 'a/sbom'])
    expect(await list(['a/signature', 'a/sbom'])).toEqual(['a/sbom', 'a/signature', 'a/sbom'])
    expect(await list(['a/other'])).toEqual([])
  })

  test('forgets a referrer that was deleted', async () => {
    const repository = await createRepository(metadata())
    const subject = aDigest()
    const { digest } = await pushManifest(metadata(), repository, { subject })
    const page = { repository: repository.name, subject, artifactTypes: [], limit: 10 }
    expect(await listReferrers(metadata().reader, page)).toHaveLength(1)
    await metadata().transact((tx) =>
      deleteManifest(tx, { repositoryId: repository.id, digest, maxTags: 100 }),
    )
    expect(await listReferrers(metadata().reader, page)).toEqual([])
  })
}
