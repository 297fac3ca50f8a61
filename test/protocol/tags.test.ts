/** end-8a, end-8b: listing tags. */
import { beforeAll, describe, expect, test } from 'vitest'
import { expectError, expectStatus, followPages, nextPage } from '../support/http/answers.ts'
import { ask } from '../support/http/client.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import { anImageManifest, pushBlob, pushImage } from '../support/content/manifests.ts'
import { aRandomBlob } from '../support/content/random.ts'

const registry = shareRegistry({ storage: { driver: 'memory' } })

interface TagsList {
  readonly name: string
  readonly tags: readonly string[]
}

function nameOf(repository: string): string {
  return new URL(repository).pathname.slice('/v2/'.length)
}

async function pushTags(repository: string, tags: readonly string[]): Promise<void> {
  const image = anImageManifest({ layers: 0 })
  await pushImage(repository, image)
  for (let start = 0; start < tags.length; start += 50) {
    const query = tags.slice(start, start + 50).map((tag) => `tag=${tag}`)
    const answer = await ask(`${repository}/manifests/${image.digest}?${query.join('&')}`, {
      method: 'PUT',
      body: image.bytes,
      headers: { 'content-type': image.mediaType },
    })
    expectStatus(answer, 201)
  }
}

/** Tags in byte order, which differ in everything that a case-insensitive or natural order would mix. */
const ordered = [
  '0',
  '1',
  '10',
  '2',
  'A',
  'B',
  'TEST0',
  'Z',
  '_',
  '_a',
  'a',
  'a-b',
  'a.b',
  'a0',
  'aa',
  'a_b',
  'b',
  'test0',
  'z',
].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

let repository = ''
beforeAll(async () => {
  repository = registry.repository()
  await pushTags(repository, ordered.toReversed())
})

async function list(query: string): Promise<readonly string[]> {
  const answer = await ask(`${repository}/tags/list${query}`)
  expectStatus(answer, 200)
  return (answer.json() as TagsList).tags
}

describe('a list of tags', () => {
  test('end-8a: has the name and all tags in byte order', async () => {
    const answer = await ask(`${repository}/tags/list`)
    expectStatus(answer, 200)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.json()).toEqual({ name: nameOf(repository), tags: ordered })
    expect(answer.headers.link).toBeUndefined()
  })

  test('end-8a: HEAD reports whether there is a list, without building it', async () => {
    const head = await ask(`${repository}/tags/list`, { method: 'HEAD' })
    expectStatus(head, 200)
    expect(head.headers['content-type']).toBe('application/json')
    expect(head.headers['content-length']).toBeUndefined()
    expect(head.headers['transfer-encoding']).toBeUndefined()
    const absent = await ask(`${registry.repository()}/tags/list`, { method: 'HEAD' })
    expectStatus(absent, 404)
  })

  test('end-8a: is 404 NAME_UNKNOWN for a repository that never existed', async () => {
    const name = nameOf(registry.repository())
    const answer = await ask(`${registry.url}/v2/${name}/tags/list`)
    expectError(answer, { status: 404, code: 'NAME_UNKNOWN', naming: [name] })
  })

  test('end-8a: is empty for a repository without tags', async () => {
    const [blobOnly, untagged] = [registry.repository(), registry.repository()]
    await pushBlob(blobOnly, aRandomBlob())
    await pushImage(untagged, anImageManifest(), { reference: 'v1' })
    expectStatus(await ask(`${untagged}/manifests/v1`, { method: 'DELETE' }), 202)
    for (const each of [blobOnly, untagged]) {
      const answer = await ask(`${each}/tags/list`)
      expect(answer.json()).toEqual({ name: nameOf(each), tags: [] })
    }
  })
})

describe('pages of tags', () => {
  test.each([1, 2, 7, ordered.length - 1, ordered.length])(
    'end-8b: n=%i: the links lead to the end',
    async (n) => {
      const pages = await followPages(registry.url, `/v2/${nameOf(repository)}/tags/list?n=${n}`)
      const lists = pages.map((page) => (page.json() as TagsList).tags)
      expect(lists.flat()).toEqual(ordered)
      expect(lists.slice(0, -1).map((tags) => tags.length)).toEqual(lists.slice(0, -1).map(() => n))
      expect(lists.at(-1)?.length).toBeGreaterThan(0)
      for (const page of pages.slice(0, -1)) {
        const query = new URL(nextPage(page) ?? '', registry.url).searchParams
        expect(query.get('n')).toBe(String(n))
        expect(query.get('last')).toBe((page.json() as TagsList).tags.at(-1))
      }
    },
  )

  test.each([ordered.length, ordered.length + 1, 5000, 2 ** 31, 10 ** 30])(
    'A1: n=%i lists everything without a link',
    async (n) => {
      const answer = await ask(
        `${repository}/tags/list?n=${n.toLocaleString('fullwide', { useGrouping: false })}`,
      )
      expect((answer.json() as TagsList).tags).toEqual(ordered)
      expect(answer.headers.link).toBeUndefined()
    },
  )

  test.each(['?n=0', '?n=0&last=a', '?n=00'])('end-8b: %s gives an empty list and no link', async (query) => {
    const answer = await ask(`${repository}/tags/list${query}`)
    expect(answer.json()).toEqual({ name: nameOf(repository), tags: [] })
    expect(answer.headers.link).toBeUndefined()
  })

  test.each(['-1', 'abc', '1.5', '1e3', '0x10', '%00', '+1', '1%20', 'NaN', '٣'])(
    'A1: n=%s is refused with a range',
    async (n) => {
      const answer = await ask(`${repository}/tags/list?n=${encodeURI(decodeURI(n))}`)
      expectError(answer, {
        status: 400,
        code: 'PAGINATION_NUMBER_INVALID',
        naming: [/n="/, /from 0 to \d+/],
      })
    },
  )

  test('end-8b: last is exclusive and needs no n', async () => {
    expect(await list('?last=a')).toEqual(ordered.filter((tag) => tag > 'a'))
    expect(await list('?last=z')).toEqual([])
    expect(await list('?last=')).toEqual(ordered)
  })

  test('end-8b: last need not exist: the list continues after it in byte order', async () => {
    expect(await list('?last=a-a')).toEqual(ordered.filter((tag) => tag > 'a-a'))
    expect(await list('?n=2&last=TEST')).toEqual(ordered.filter((tag) => tag > 'TEST').slice(0, 2))
    expect(await list('?last=zzz')).toEqual([])
    expect(await list('?last=!')).toEqual(ordered)
    expect(await list('?last=%2Fmanifests%2F')).toEqual(ordered.filter((tag) => tag > '/manifests/'))
    expect(await list(`?last=${encodeURIComponent('ä')}`)).toEqual([])
  })

  test('B9: wildcards and quotes in last are ordinary characters', async () => {
    for (const last of ['%', '_', '*', "'", '"', '\\', '[', "' OR 1=1 --"]) {
      expect(await list(`?last=${encodeURIComponent(last)}`)).toEqual(ordered.filter((tag) => tag > last))
    }
    for (const last of ['%00', '%ff', '%', '%zz']) {
      expect((await ask(`${repository}/tags/list?last=${last}`)).status).toBeLessThan(500)
    }
  })

  test('end-8b: tags deleted and created between pages do not shift entries', async () => {
    const changing = registry.repository()
    await pushTags(changing, ['a', 'b', 'c', 'd', 'e', 'f'])
    const first = await ask(`${changing}/tags/list?n=2`)
    expect(first.json()).toMatchObject({ tags: ['a', 'b'] })
    for (const tag of ['a', 'b', 'c']) {
      expectStatus(await ask(`${changing}/manifests/${tag}`, { method: 'DELETE' }), 202)
    }
    await pushTags(changing, ['b0', '0'])
    const rest = await followPages(registry.url, nextPage(first) ?? '')
    expect(rest.flatMap((page) => (page.json() as TagsList).tags)).toEqual(['b0', 'd', 'e', 'f'])
  })

  test('end-8a: a few hundred tags come in one response by default', async () => {
    const large = registry.repository()
    const tags = Array.from({ length: 300 }, (_, index) => `v${index}`)
    await pushTags(large, tags)
    const answer = await ask(`${large}/tags/list`)
    expect((answer.json() as TagsList).tags).toEqual(tags.sort())
    expect(answer.headers.link).toBeUndefined()
  })
})
