import { describe, expect, test } from 'vitest'
import { countingReader } from '../metadata/contract/counting-reader.ts'
import { createRepository, pushManifest } from '../metadata/contract/builders.ts'
import { openTemporaryMetadata } from '../metadata/contract/open-temporary.ts'
import { putTag } from '../metadata/content/tags.ts'
import { parseTagName } from '../oci/tag-name.ts'
import { createTags } from './tags.ts'

describe('a page of tags', () => {
  test('is read in slices', async () => {
    await using opened = await openTemporaryMetadata()
    const { metadata } = opened
    const repository = await createRepository(metadata)
    const { digest } = await pushManifest(metadata, repository)
    const names = Array.from({ length: 2_500 }, (_, index) => parseTagName(`v${index}`)).toSorted()
    await metadata.transact(async (tx) => {
      for (const name of names) await putTag(tx, { repositoryId: repository.id, name, digest, now: 1 })
    })
    const { counts, reader } = countingReader(metadata.reader)
    const tags = createTags({ reader })
    expect(await tags.list(repository.name, { n: 10_000 })).toEqual({ tags: names, more: false })
    expect(counts.mostRows).toBe(1_000)
    expect(await tags.list(repository.name, { n: 2_499 })).toEqual({ tags: names.slice(0, -1), more: true })
    expect(await tags.list(repository.name, { n: 2_500 })).toEqual({ tags: names, more: false })
    expect(await tags.list(repository.name, { n: 10, last: names[2_495] })).toEqual({
      tags: names.slice(2_496),
      more: false,
    })
  })
})
