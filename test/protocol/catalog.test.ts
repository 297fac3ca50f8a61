/** `_catalog`: not in the spec, but used by clients. */
import { beforeAll, describe, expect, test } from 'vitest'
import { expectError, expectStatus, followPages, nextPage } from '../support/http/answers.ts'
import { ask } from '../support/http/client.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import { pushBlob } from '../support/content/manifests.ts'
import { aRandomBlob } from '../support/content/random.ts'

const registry = shareRegistry({ storage: { driver: 'memory' } })

interface CatalogPage {
  readonly repositories: readonly string[]
}

/** Names that are prefixes of each other, and separators that sort before and after letters and slashes. */
const names = [
  'a/a',
  'a/a-a',
  'a/a.a',
  'a/a/a',
  'a/a_a',
  'a/aa',
  'a-a/a',
  'a.a/a',
  'a0/a',
  'aa/a',
  'b/a',
  'b/a__a',
].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

beforeAll(async () => {
  for (const name of names.toReversed()) await pushBlob(`${registry.url}/v2/${name}`, aRandomBlob(8))
})

async function list(query: string): Promise<readonly string[]> {
  const answer = await ask(`${registry.url}/v2/_catalog${query}`)
  expectStatus(answer, 200)
  return (answer.json() as CatalogPage).repositories
}

describe('the catalog', () => {
  test('B8: has all repositories in byte order of the full name', async () => {
    const answer = await ask(`${registry.url}/v2/_catalog`)
    expectStatus(answer, 200)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.json()).toEqual({ repositories: names })
    expect(answer.headers.link).toBeUndefined()
  })

  test.each([1, 3, names.length - 1, names.length])('B8: n=%i: the links lead to the end', async (n) => {
    const pages = await followPages(registry.url, `/v2/_catalog?n=${n}`)
    const lists = pages.map((page) => (page.json() as CatalogPage).repositories)
    expect(lists.flat()).toEqual(names)
    expect(lists.slice(0, -1).every((each) => each.length === n)).toBe(true)
    expect(lists.at(-1)?.length).toBeGreaterThan(0)
    const asked = pages
      .slice(0, -1)
      .map((page) => new URL(nextPage(page) ?? '', registry.url).searchParams.get('n'))
    expect(asked).toEqual(asked.map(() => String(n)))
  })

  test('last is exclusive, need not exist, and needs no n', async () => {
    expect(await list('?last=a/a')).toEqual(names.filter((name) => name > 'a/a'))
    expect(await list('?last=a%2Fa')).toEqual(names.filter((name) => name > 'a/a'))
    expect(await list('?n=2&last=a/')).toEqual(names.filter((name) => name > 'a/').slice(0, 2))
    expect(await list('?last=zzz')).toEqual([])
    expect(await list('?last=')).toEqual(names)
  })

  test('B9: wildcards in last are ordinary characters', async () => {
    for (const last of ['%', '_', '*', "'", '[', 'a_a/a', 'a%']) {
      expect(await list(`?last=${encodeURIComponent(last)}`)).toEqual(names.filter((name) => name > last))
    }
  })

  test('n=0 gives an empty list and no link', async () => {
    const answer = await ask(`${registry.url}/v2/_catalog?n=0`)
    expect(answer.json()).toEqual({ repositories: [] })
    expect(answer.headers.link).toBeUndefined()
  })

  test.each(['1000', '1001', String(2 ** 31), '9'.repeat(30)])('A1: n=%s lists everything', async (n) => {
    expect(await list(`?n=${n}`)).toEqual(names)
  })

  test.each(['-1', 'abc', '1.5', '%00'])('A1: n=%s is refused with a range', async (n) => {
    const answer = await ask(`${registry.url}/v2/_catalog?n=${n}`)
    expectError(answer, { status: 400, code: 'PAGINATION_NUMBER_INVALID', naming: [/n="/, /from 0 to \d+/] })
  })

  test('an unfinished upload does not create the repository', async () => {
    await ask(`${registry.url}/v2/c/started/blobs/uploads/`, { method: 'POST' })
    expect(await list('')).toEqual(names)
  })
})

describe('an empty catalog', () => {
  const empty = shareRegistry()

  test('is a list without entries', async () => {
    const answer = await ask(`${empty.url}/v2/_catalog`)
    expect(answer.json()).toEqual({ repositories: [] })
  })
})
