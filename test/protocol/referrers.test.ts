/** end-12a, end-12b: the manifests that point at a subject. */
import { beforeAll, describe, expect, test } from 'vitest'
import { expectError, expectStatus, followPages, nextPage } from '../support/http/answers.ts'
import { ask } from '../support/http/client.ts'
import type { Answer } from '../support/http/client.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import {
  aDescriptor,
  aManifest,
  anArtifact,
  anImageIndex,
  anImageManifest,
  mediaType,
  pushImage,
  pushManifest,
} from '../support/content/manifests.ts'
import type { TestManifest } from '../support/content/manifests.ts'
import { aBlob, aRandomBlob, digestOf } from '../support/content/random.ts'

const registry = shareRegistry({ storage: { driver: 'memory' } })

interface Entry {
  readonly digest: string
  readonly artifactType?: string
}

/** Returns the entries of a response, which must be an exact image index. */
function entriesOf(answer: Answer): readonly Entry[] {
  expectStatus(answer, 200)
  expect(answer.headers['content-type']).toBe(mediaType.ociIndex)
  expect(answer.headers['content-length']).toBe(String(answer.body.length))
  const index = answer.json() as { manifests: readonly Entry[] }
  expect(index).toEqual({ schemaVersion: 2, mediaType: mediaType.ociIndex, manifests: index.manifests })
  expect(Array.isArray(index.manifests)).toBe(true)
  return index.manifests
}

function digestsOf(manifests: readonly TestManifest[]): string[] {
  return manifests.map(({ digest }) => digest)
}

describe('an answer without referrers', () => {
  test('end-12a: is an empty index for an unknown repository, an unknown subject and a plain manifest', async () => {
    const repository = registry.repository()
    const digests = [aRandomBlob().digest, aRandomBlob(1, 'sha512').digest, `blake3:${'a'.repeat(64)}`, 'x:y']
    for (const digest of digests)
      expect(entriesOf(await ask(`${repository}/referrers/${digest}`))).toEqual([])
    const image = anImageManifest()
    await pushImage(repository, image)
    expect(entriesOf(await ask(`${repository}/referrers/${image.digest}`))).toEqual([])
    expect(entriesOf(await ask(`${repository}/referrers/${aRandomBlob().digest}`))).toEqual([])
  })

  test('end-12b: reports the filter, too', async () => {
    const url = `${registry.repository()}/referrers/${aRandomBlob().digest}?artifactType=a/b`
    const answer = await ask(url)
    expect(entriesOf(answer)).toEqual([])
    expect(answer.headers['oci-filters-applied']).toBe('artifactType')
  })

  test.each(['sha256:abc', 'latest', 'sha256:', `sha256:${'A'.repeat(64)}`])(
    'end-12a: %s is refused with 400 DIGEST_INVALID',
    async (digest) => {
      const answer = await ask(`${registry.repository()}/referrers/${digest}`)
      expectError(answer, { status: 400, code: 'DIGEST_INVALID', naming: [`"${digest}"`] })
    },
  )
})

describe('descriptors of referrers', () => {
  const subject = anImageManifest()
  const config = aBlob('{"a":1}')
  const annotations = { 'org.example.ä': '"\\\u2028', empty: '' }

  test.each<[string, TestManifest, string | undefined]>([
    [
      'an artifact shows its artifactType',
      anArtifact({ subject: subject.descriptor, artifactType: 'a/b' }),
      'a/b',
    ],
    [
      'an image shows the type of its config',
      anImageManifest({ subject: subject.descriptor }),
      mediaType.ociConfig,
    ],
    [
      'an image shows its artifactType first',
      anImageManifest({ subject: subject.descriptor, artifactType: 'c/d' }),
      'c/d',
    ],
    [
      'an empty artifactType counts as none',
      anImageManifest({ subject: subject.descriptor, artifactType: '', config }),
      mediaType.ociConfig,
    ],
    ['an index shows none', anImageIndex({ subject: subject.descriptor }), undefined],
    [
      'an index shows its artifactType',
      anImageIndex({ subject: subject.descriptor, artifactType: 'e/f' }),
      'e/f',
    ],
    [
      'annotations are copied',
      anArtifact({ subject: subject.descriptor, annotations }),
      'application/vnd.example.artifact',
    ],
    [
      'a Docker image',
      anImageManifest({ subject: subject.descriptor, docker: true }),
      mediaType.dockerConfig,
    ],
  ])('end-12a: %s', async (_what, manifest, artifactType) => {
    const repository = registry.repository()
    await pushImage(repository, subject)
    await pushImage(repository, manifest)
    const wanted = {
      mediaType: manifest.mediaType,
      digest: manifest.digest,
      size: manifest.size,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(manifest.json['annotations'] === undefined ? {} : { annotations: manifest.json['annotations'] }),
    }
    const answer = await ask(`${repository}/referrers/${subject.digest}`)
    expect(entriesOf(answer)).toEqual([wanted])
    expect(answer.headers['oci-filters-applied']).toBeUndefined()
    const head = await ask(`${repository}/referrers/${subject.digest}`, { method: 'HEAD' })
    expect(head.status).toBe(200)
    expect(head.headers['content-type']).toBe(answer.headers['content-type'])
    expect(head.headers['content-length']).toBe(answer.headers['content-length'])
  })
})

describe('subjects', () => {
  test('end-12a: a subject that comes later, or never, has its referrers', async () => {
    const repository = registry.repository()
    const subject = anImageManifest()
    const referrer = anArtifact({ subject: subject.descriptor })
    await pushImage(repository, referrer)
    const url = `${repository}/referrers/${subject.digest}`
    expect(entriesOf(await ask(url)).map(({ digest }) => digest)).toEqual([referrer.digest])
    await pushImage(repository, subject)
    expect(entriesOf(await ask(url)).map(({ digest }) => digest)).toEqual([referrer.digest])
    expectStatus(await ask(`${repository}/manifests/${subject.digest}`, { method: 'DELETE' }), 202)
    expect(entriesOf(await ask(url)).map(({ digest }) => digest)).toEqual([referrer.digest])
  })

  test('end-12a: match by the exact digest', async () => {
    const repository = registry.repository()
    const subject = anImageManifest()
    const sha512 = digestOf(subject.bytes, 'sha512')
    await pushImage(repository, subject)
    await pushManifest(repository, subject, { reference: sha512 })
    const one = anArtifact({ subject: subject.descriptor })
    const other = anArtifact({ subject: { ...subject.descriptor, digest: sha512 } })
    for (const each of [one, other]) await pushImage(repository, each)
    expect(entriesOf(await ask(`${repository}/referrers/${subject.digest}`))).toMatchObject([
      { digest: one.digest },
    ])
    expect(entriesOf(await ask(`${repository}/referrers/${sha512}`))).toMatchObject([
      { digest: other.digest },
    ])
  })

  test('B2: referrers of one repository are not listed in another', async () => {
    const [mine, other] = [registry.repository(), registry.repository()]
    const subject = anImageManifest()
    const artifact = anArtifact({ subject: subject.descriptor })
    await pushImage(mine, artifact)
    await pushImage(other, subject)
    expect(entriesOf(await ask(`${mine}/referrers/${subject.digest}`))).toHaveLength(1)
    expect(entriesOf(await ask(`${other}/referrers/${subject.digest}`))).toEqual([])
  })

  test('end-12a: a deleted referrer is not listed, one that is pushed twice is listed once', async () => {
    const repository = registry.repository()
    const subject = anImageManifest()
    const [kept, deleted] = [
      anArtifact({ subject: subject.descriptor }),
      anArtifact({ subject: subject.descriptor }),
    ]
    for (const each of [kept, deleted, kept]) await pushImage(repository, each, { reference: 'v1' })
    const url = `${repository}/referrers/${subject.digest}`
    expect(entriesOf(await ask(url)).map(({ digest }) => digest)).toEqual(digestsOf([kept, deleted]))
    expectStatus(await ask(`${repository}/manifests/${deleted.digest}`, { method: 'DELETE' }), 202)
    expect(entriesOf(await ask(url)).map(({ digest }) => digest)).toEqual([kept.digest])
  })

  test('end-12a: a tag of the fallback schema is an ordinary tag', async () => {
    const repository = registry.repository()
    const subject = anImageManifest()
    const referrer = anArtifact({ subject: subject.descriptor })
    await pushImage(repository, referrer)
    const fallback = anImageIndex({ manifests: [referrer] })
    const tag = subject.digest.replace(':', '-')
    await pushManifest(repository, fallback, { reference: tag })
    const answer = await ask(`${repository}/manifests/${tag}`)
    expect(answer.body.equals(fallback.bytes)).toBe(true)
  })
})

describe('filters and pages', () => {
  const subject = anImageManifest()
  const types = [
    'application/a+json',
    'application/b',
    'application/a+json',
    'application/c',
    'application/a',
  ]
  const empty = aBlob('{}')
  const referrers = Array.from({ length: 15 }, (_, index) => {
    return anArtifact({
      subject: subject.descriptor,
      artifactType: types[index % types.length]!,
      blob: empty,
      annotations: { index: String(index) },
    })
  })
  const ofTypes = (...wanted: string[]) => {
    return digestsOf(referrers.filter(({ json }) => wanted.includes(String(json['artifactType']))))
  }

  let url = ''
  beforeAll(async () => {
    const repository = registry.repository()
    for (const referrer of referrers) await pushImage(repository, referrer)
    url = `${repository}/referrers/${subject.digest}`
  })

  test('end-12a: all come in the order of their pushes', async () => {
    const answer = await ask(url)
    expect(entriesOf(answer).map(({ digest }) => digest)).toEqual(digestsOf(referrers))
    expect(answer.headers.link).toBeUndefined()
  })

  test.each([
    ['artifactType=application/b', ofTypes('application/b')],
    ['artifactType=application%2Fb', ofTypes('application/b')],
    ['artifactType=application/a%2Bjson', ofTypes('application/a+json')],
    ['artifactType=application/a+json', ofTypes('application/a+json')],
    ['artifactType=application/b&artifactType=application/c', ofTypes('application/b', 'application/c')],
    ['artifactType=application/none', []],
    ['artifactType=application/', []],
    ['artifactType=APPLICATION/B', []],
    ['artifactType=', []],
    ['artifactType=%25', []],
    ['artifactType=application/_', []],
  ])('end-12b: %s', async (query, expected) => {
    const answer = await ask(`${url}?${query}`)
    expect(entriesOf(answer).map(({ digest }) => digest)).toEqual(expected)
    expect(answer.headers['oci-filters-applied']).toBe('artifactType')
  })

  test.each([1, 4, 14, 15])('end-12a: n=%i: the links lead to the end', async (n) => {
    const pages = await followPages(registry.url, `${new URL(url).pathname}?n=${n}`)
    const lists = pages.map(entriesOf)
    expect(lists.flat().map(({ digest }) => digest)).toEqual(digestsOf(referrers))
    expect(lists.slice(0, -1).every((list) => list.length === n)).toBe(true)
    expect(lists.at(-1)?.length).toBeGreaterThan(0)
  })

  test.each(['', '?n=4', '?n=1', '?artifactType=application/b', '?artifactType=application/none'])(
    'end-12a: HEAD %s has the length and the link of GET',
    async (query) => {
      const [head, whole] = [await ask(`${url}${query}`, { method: 'HEAD' }), await ask(`${url}${query}`)]
      expect(head.status).toBe(200)
      expect(head.body).toHaveLength(0)
      for (const name of ['content-length', 'content-type', 'link', 'oci-filters-applied']) {
        expect(head.headers[name]).toBe(whole.headers[name])
      }
      expect(Number(head.headers['content-length'])).toBe(whole.body.length)
    },
  )

  test('end-12b: the links keep the filter', async () => {
    const query = 'artifactType=application/a%2Bjson&artifactType=application/b&n=2'
    const pages = await followPages(registry.url, `${new URL(url).pathname}?${query}`)
    const lists = pages.map(entriesOf)
    expect(lists.flat().map(({ digest }) => digest)).toEqual(ofTypes('application/a+json', 'application/b'))
    expect(lists.length).toBeGreaterThan(1)
    expect(pages.map(({ headers }) => headers['oci-filters-applied'])).toEqual(
      pages.map(() => 'artifactType'),
    )
  })

  test('end-12a: a referrer deleted between pages shifts nothing', async () => {
    const repository = registry.repository()
    const some = referrers.slice(0, 5)
    for (const referrer of some) await pushImage(repository, referrer)
    const first = await ask(`${repository}/referrers/${subject.digest}?n=2`)
    for (const { digest } of some.slice(0, 3)) {
      expectStatus(await ask(`${repository}/manifests/${digest}`, { method: 'DELETE' }), 202)
    }
    const rest = await followPages(registry.url, nextPage(first) ?? '')
    expect(rest.flatMap(entriesOf).map(({ digest }) => digest)).toEqual(digestsOf(some.slice(3)))
  })

  test.each([String(2 ** 31), '9'.repeat(30)])('A1: n=%s lists everything', async (n) => {
    expect(entriesOf(await ask(`${url}?n=${n}`))).toHaveLength(referrers.length)
  })

  test.each([
    'n=-1',
    'n=abc',
    'cursor=-1',
    'cursor=abc',
    'cursor=1.5',
    'cursor=',
    `cursor=${'9'.repeat(30)}`,
  ])('A1: %s is refused with advice', async (query) => {
    const answer = await ask(`${url}?${query}`)
    const [name = ''] = query.split('=')
    expectError(answer, { status: 400, code: 'PAGINATION_NUMBER_INVALID', naming: [`${name}="`] })
  })

  test('A1: n=0 still makes progress', async () => {
    const pages = await followPages(registry.url, `${new URL(url).pathname}?n=0`)
    expect(pages.flatMap(entriesOf).map(({ digest }) => digest)).toEqual(digestsOf(referrers))
  })

  test('end-12a: large annotations end a page before 4 MiB', async () => {
    const repository = registry.repository()
    const large = Array.from({ length: 5 }, (_, index) => {
      const annotations = { index: String(index), text: 'x'.repeat(1_500_000) }
      return anArtifact({ subject: subject.descriptor, blob: empty, annotations })
    })
    for (const referrer of large) await pushImage(repository, referrer)
    const pages = await followPages(
      registry.url,
      `${new URL(repository).pathname}/referrers/${subject.digest}`,
    )
    expect(pages.flatMap(entriesOf).map(({ digest }) => digest)).toEqual(digestsOf(large))
    expect(Math.max(...pages.map(({ body }) => body.length))).toBeLessThan(4 * 1024 * 1024)
  })

  test('end-12a: a plain manifest that names a blob as its subject is listed there', async () => {
    const repository = registry.repository()
    const layer = aRandomBlob()
    const referrer = aManifest(mediaType.ociIndex, {
      json: { schemaVersion: 2, manifests: [], subject: aDescriptor(layer, mediaType.ociLayer) },
    })
    await pushImage(repository, referrer)
    const answer = await ask(`${repository}/referrers/${layer.digest}`)
    expect(entriesOf(answer).map(({ digest }) => digest)).toEqual([referrer.digest])
  })
})
