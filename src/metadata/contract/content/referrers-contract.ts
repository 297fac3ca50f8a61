import { expect, test } from 'vitest'
import { Turns } from '../../../lib/turns/turns.ts'
import { deleteManifest } from '../../content/manifest-deletion.ts'
import { insertManifest } from '../../content/manifests.ts'
import { listReferrers } from '../../content/referrers.ts'
import type { ReferrersRequest } from '../../content/referrers.ts'
import { aDigest, aManifest, aName, createRepository, numbers, pushManifest } from '../builders.ts'
import type { ContractSubject } from '../contract-subject.ts'

export function testReferrers({ metadata }: ContractSubject): void {
  type Asked = Pick<ReferrersRequest, 'repository' | 'subject'> & Partial<ReferrersRequest>
  const page = (asked: Asked) =>
    listReferrers(metadata().reader, {
      artifactTypes: [],
      limit: 10,
      maxBytes: 1_000_000,
      withDescriptors: true,
      turns: new Turns(),
      ...asked,
    })

  test('lists descriptors in the order of the pushes, whether the subject exists or not', async () => {
    const repository = await createRepository(metadata())
    const subject = aDigest()
    const descriptors = numbers(5).map((index) => `{"index":${index}}`)
    for (const descriptor of descriptors) await pushManifest(metadata(), repository, { subject, descriptor })
    await pushManifest(metadata(), repository, { subject: aDigest() })
    await pushManifest(metadata(), repository)
    const asked = { repository: repository.name, subject, limit: 3 }
    const first = await page(asked)
    expect(first.descriptors).toEqual(descriptors.slice(0, 3))
    const second = await page({ ...asked, after: first.next })
    expect(second.descriptors).toEqual(descriptors.slice(3))
    expect(second.next).toBeUndefined()
  })

  test('lists nothing for another subject, another repository or an unknown one', async () => {
    const repository = await createRepository(metadata())
    const other = await createRepository(metadata())
    const subject = aDigest()
    await pushManifest(metadata(), repository, { subject })
    const list = async (name: typeof repository.name, asked = subject) =>
      (await page({ repository: name, subject: asked })).descriptors
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
    const list = async (artifactTypes: readonly string[]) =>
      (await page({ repository: repository.name, subject, artifactTypes })).descriptors
    expect(await list([])).toEqual(['a/sbom', 'a/signature', 'undefined', 'a/sbom'])
    expect(await list(['a/sbom'])).toEqual(['a/sbom', 'a/sbom'])
    expect(await list(['a/signature', 'a/sbom'])).toEqual(['a/sbom', 'a/signature', 'a/sbom'])
    expect(await list(['a/other'])).toEqual([])
  })

  test('leaves out a deleted referrer', async () => {
    const repository = await createRepository(metadata())
    const subject = aDigest()
    const { digest } = await pushManifest(metadata(), repository, { subject })
    const asked = { repository: repository.name, subject }
    expect((await page(asked)).descriptors).toHaveLength(1)
    await metadata().transact((tx) =>
      deleteManifest(tx, { repositoryId: repository.id, digest, maxTags: 100 }),
    )
    expect((await page(asked)).descriptors).toEqual([])
  })

  test('ends a page before it has too many bytes, and gives a larger descriptor its own', async () => {
    const repository = await createRepository(metadata())
    const subject = aDigest()
    // Two bytes per character.
    const descriptors = [10, 20, 30, 200, 5].map((length) => JSON.stringify('é'.repeat(length)))
    for (const descriptor of descriptors) await pushManifest(metadata(), repository, { subject, descriptor })
    const asked = { repository: repository.name, subject, maxBytes: 70 }
    const pages = [await page(asked)]
    for (let next = pages[0]?.next; next !== undefined; next = pages.at(-1)?.next) {
      pages.push(await page({ ...asked, after: next }))
    }
    const [a, b, c, d, e] = descriptors
    expect(pages.map((one) => one.descriptors)).toEqual([[a, b], [c], [d], [e]])
    expect(pages.map((one) => one.sizes)).toEqual([[22, 42], [62], [402], [12]])
  })

  test('returns only the sizes for a page with the same end', async () => {
    const repository = await createRepository(metadata())
    const subject = aDigest()
    for (const descriptor of ['"aaa"', '"bb"', '"c"']) {
      await pushManifest(metadata(), repository, { subject, descriptor })
    }
    const asked = { repository: repository.name, subject, limit: 2 }
    const { next } = await page(asked)
    expect(await page({ ...asked, withDescriptors: false })).toEqual({ sizes: [5, 4], descriptors: [], next })
  })

  test('ends a page early when the turns are spent, and continues after the rows that it read', async () => {
    const repository = await createRepository(metadata())
    const subject = aDigest()
    await metadata().transact(async (tx) => {
      for (const index of numbers(1100)) {
        const artifactType = index === 1050 ? 'a/rare' : 'a/usual'
        await insertManifest(tx, aManifest(repository, { subject, artifactType, descriptor: `"${index}"` }))
      }
    })
    const asked = { repository: repository.name, subject, artifactTypes: ['a/rare'] }
    expect((await page(asked)).descriptors).toEqual(['"1050"'])
    const found: (readonly string[])[] = []
    let after: number | undefined
    for (const _ of numbers(3)) {
      const { descriptors, next } = await page({ ...asked, after, turns: new Turns({ maxTurns: 0 }) })
      found.push(descriptors)
      after = next
    }
    expect(found).toEqual([[], [], ['"1050"']])
    expect(after).toBeUndefined()
  })
}
