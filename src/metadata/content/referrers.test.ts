import { describe, expect, test } from 'vitest'
import { Turns } from '../../lib/turns/turns.ts'
import { aDigest, createRepository, pushManifest } from '../contract/builders.ts'
import { countingReader } from '../contract/counting-reader.ts'
import { openTemporaryMetadata } from '../contract/open-temporary.ts'
import { listReferrers } from './referrers.ts'

const page = { artifactTypes: [], limit: 1000, maxBytes: 3_000_000, withDescriptors: true } as const

describe('a page of referrers', () => {
  test('loads only the descriptors of the page, however large the others are', async () => {
    await using opened = await openTemporaryMetadata()
    const { metadata } = opened
    const repository = await createRepository(metadata)
    const [large, small] = [aDigest(), aDigest()]
    const descriptor = JSON.stringify({ annotations: { a: 'x'.repeat(1_000_000) } })
    for (let count = 0; count < 12; count++)
      await pushManifest(metadata, repository, { subject: large, descriptor })
    for (let count = 0; count < 200; count++) {
      await pushManifest(metadata, repository, {
        subject: small,
        descriptor: JSON.stringify({ annotations: { a: 'x'.repeat(500) } }),
      })
    }
    const asked = { ...page, repository: repository.name, turns: new Turns() }

    const ofLarge = countingReader(metadata.reader)
    const { descriptors, next } = await listReferrers(ofLarge.reader, { ...asked, subject: large })
    expect(descriptors).toEqual([descriptor, descriptor])
    expect(next).toBeDefined()
    // Each of the twelve sizes has seven digits.
    expect(ofLarge.counts).toMatchObject({ queries: 2, characters: 2 * descriptor.length + 12 * 7 })

    const sizes = countingReader(metadata.reader)
    await listReferrers(sizes.reader, { ...asked, subject: large, withDescriptors: false })
    expect(sizes.counts).toMatchObject({ queries: 1, characters: 12 * 7 })

    const ofSmall = countingReader(metadata.reader)
    expect((await listReferrers(ofSmall.reader, { ...asked, subject: small })).descriptors).toHaveLength(200)
    expect(ofSmall.counts.queries).toBe(1)
  })

  test('loads no more with a filter and a small page, however many referrers have the type', async () => {
    await using opened = await openTemporaryMetadata()
    const { metadata } = opened
    const repository = await createRepository(metadata)
    const subject = aDigest()
    const artifactType = 'a/sbom'
    const descriptor = JSON.stringify({ annotations: { a: 'x'.repeat(100_000) } })
    for (let count = 0; count < 30; count++) {
      await pushManifest(metadata, repository, { subject, artifactType, descriptor })
    }
    const { counts, reader } = countingReader(metadata.reader)
    const asked = { ...page, limit: 1, maxBytes: 300_000, artifactTypes: [artifactType], turns: new Turns() }
    const found = await listReferrers(reader, { ...asked, repository: repository.name, subject })
    expect(found.descriptors).toEqual([descriptor])
    expect(counts.characters).toBeLessThanOrEqual(asked.maxBytes)
  })
})
