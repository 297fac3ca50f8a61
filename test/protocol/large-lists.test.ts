/** end-8b and `_catalog` beyond the largest page: `n` is reduced, and the link contains the reduced value. */
import { describe, expect, test } from 'vitest'
import { ensureRepository } from '../../src/metadata/repositories/repositories.ts'
import { putTag } from '../../src/metadata/content/tags.ts'
import { parseDigest } from '../../src/oci/digest.ts'
import { parseRepositoryName } from '../../src/oci/repository-name.ts'
import { parseTagName } from '../../src/oci/tag-name.ts'
import { followPages, nextPage } from '../support/http/answers.ts'
import { ask } from '../support/http/client.ts'
import { startInProcess } from '../support/parts/in-process.ts'
import { anImageManifest, pushImage } from '../support/content/manifests.ts'

describe('a list beyond the largest page', () => {
  test('A1: n above 10,000 tags gives 10,000 and a link with that n', async () => {
    await using registry = await startInProcess()
    const image = anImageManifest()
    await pushImage(`${registry.url}/v2/many/tags`, image)
    const names = Array.from({ length: 10_007 }, (_, index) => `v${index}`).sort()
    const row = { name: parseRepositoryName('many/tags'), visibility: 'public' as const, now: 0 }
    await registry.app.metadata.transact(async (tx) => {
      const { id: repositoryId } = await ensureRepository(tx, row)
      const digest = parseDigest(image.digest)
      for (const name of names) await putTag(tx, { repositoryId, name: parseTagName(name), digest, now: 0 })
    })
    for (const query of ['', '?n=10001', `?n=${2 ** 31}`]) {
      const first = await ask(`${registry.url}/v2/many/tags/tags/list${query}`)
      expect((first.json() as { tags: string[] }).tags).toEqual(names.slice(0, 10_000))
      expect(new URL(nextPage(first) ?? '', registry.url).searchParams.get('n')).toBe('10000')
      const rest = await ask(`${registry.url}${nextPage(first)}`)
      expect((rest.json() as { tags: string[] }).tags).toEqual(names.slice(10_000))
      expect(nextPage(rest)).toBeUndefined()
    }
  })

  test('A1: a catalog page has 100 repositories by default, and at most 1,000', async () => {
    await using registry = await startInProcess()
    const names = Array.from({ length: 1_005 }, (_, index) => `many/r${index}`).sort()
    await registry.app.metadata.transact(async (tx) => {
      for (const name of names) {
        await ensureRepository(tx, { name: parseRepositoryName(name), visibility: 'public', now: 0 })
      }
    })
    for (const [query, size] of [
      ['', 100],
      [`?n=${2 ** 31}`, 1000],
    ] as const) {
      const pages = await followPages(registry.url, `/v2/_catalog${query}`)
      const lists = pages.map((page) => (page.json() as { repositories: string[] }).repositories)
      expect(lists.flat()).toEqual(names)
      expect(lists[0]).toHaveLength(size)
      expect(new URL(nextPage(pages[0]!) ?? '', registry.url).searchParams.get('n')).toBe(String(size))
    }
  })
})
