/** end-7a and end-7b: pushing manifests by tag, by digest, and by digest with tags. */
import { describe, expect, test } from 'vitest'
import { expectError, expectStatus, valuesOf } from '../support/http/answers.ts'
import { ask } from '../support/http/client.ts'
import type { Answer, Ask } from '../support/http/client.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import {
  aManifest,
  anArtifact,
  anImageIndex,
  anImageManifest,
  mediaType,
  pushBlob,
  pushImage,
} from '../support/content/manifests.ts'
import type { TestManifest } from '../support/content/manifests.ts'
import { aBlob, aRandomBlob, digestOf } from '../support/content/random.ts'
import type { TestBlob } from '../support/content/random.ts'
import { iterate } from '../support/uploads/upload-session.ts'

const registry = shareRegistry({ storage: { driver: 'memory' } })
const tenMebibytes = 10 * 1024 * 1024

async function put(
  url: string,
  body: NonNullable<Ask['body']>,
  type: string = mediaType.ociManifest,
): Promise<Answer> {
  return await ask(url, { method: 'PUT', body, headers: { 'content-type': type } })
}

async function pushBlobs(repository: string, manifest: TestManifest): Promise<void> {
  for (const blob of manifest.blobs) await pushBlob(repository, blob)
}

/** Expects 201 with its headers, and the manifest at `Location`. */
async function expectPushed(answer: Answer, repository: string, manifest: TestBlob): Promise<void> {
  expectStatus(answer, 201)
  const location = `${new URL(repository).pathname}/manifests/${manifest.digest}`
  expect(answer.headers.location).toBe(location)
  expect(answer.headers['docker-content-digest']).toBe(manifest.digest)
  expect(answer.headers['content-length']).toBe('0')
  const got = await ask(`${registry.url}${location}`)
  expectStatus(got, 200)
  expect(got.body.equals(manifest.bytes)).toBe(true)
}

/** Makes an image padded with spaces to exactly this many bytes. */
function anImageOf(size: number, image: TestManifest = anImageManifest({ layers: 0 })): TestManifest {
  return { ...image, ...aBlob(Buffer.concat([image.bytes, Buffer.alloc(size - image.size, ' ')])) }
}

describe('a push', () => {
  test('end-7a: by tag and by digest answers 201, the first time and again', async () => {
    const repository = registry.repository()
    const image = anImageManifest()
    await pushBlobs(repository, image)
    const sha512 = { ...image, digest: digestOf(image.bytes, 'sha512') }
    for (let time = 0; time < 2; time += 1) {
      await expectPushed(await put(`${repository}/manifests/v1`, image.bytes), repository, image)
      await expectPushed(await put(`${repository}/manifests/${image.digest}`, image.bytes), repository, image)
      const answer = await put(`${repository}/manifests/${sha512.digest.replace(':', '%3a')}`, image.bytes)
      await expectPushed(answer, repository, sha512)
    }
  })

  test('end-7a: a body without a length is accepted', async () => {
    const repository = registry.repository()
    const image = anImageManifest()
    await pushBlobs(repository, image)
    const pieces = [image.bytes.subarray(0, 10), image.bytes.subarray(10)]
    await expectPushed(await put(`${repository}/manifests/v1`, iterate(pieces)), repository, image)
  })

  test('end-7a: bytes that do not match the digest of the URL are refused, naming both digests', async () => {
    const repository = registry.repository()
    const image = anImageManifest()
    await pushBlobs(repository, image)
    const spaced = aBlob(`${image.bytes.toString()}  `)
    const answer = await put(`${repository}/manifests/${image.digest}`, spaced.bytes)
    expectError(answer, { status: 400, code: 'DIGEST_INVALID', naming: [image.digest, spaced.digest] })
    const sha512 = digestOf(image.bytes, 'sha512')
    const other = await put(`${repository}/manifests/${sha512}`, spaced.bytes)
    expectError(other, {
      status: 400,
      code: 'DIGEST_INVALID',
      naming: [sha512, digestOf(spaced.bytes, 'sha512')],
    })
    expect((await ask(`${repository}/manifests/${image.digest}`)).status).toBe(404)
  })

  test.each([
    ['sha256:baddigeststring', /"sha256:baddigeststring"/],
    [`blake3:${'a'.repeat(64)}`, /sha256.*sha512/],
    ['md5:d41d8cd98f00b204e9800998ecf8427e', /sha256.*sha512/],
    [':', /digest/],
  ])('end-7a: %s cannot be pushed by', async (digest, advice) => {
    const repository = registry.repository()
    const image = anImageManifest()
    await pushBlobs(repository, image)
    const answer = await put(`${repository}/manifests/${digest}`, image.bytes)
    expectError(answer, { status: 400, code: 'DIGEST_INVALID', naming: [advice] })
  })

  test('end-7a: fifty simultaneous pushes of one tag all succeed, and the tag shows one of them', async () => {
    const repository = registry.repository()
    const layers = [aRandomBlob()]
    const first = anImageManifest({ layers })
    const images = Array.from({ length: 50 }, (_, index) => {
      return anImageManifest({ layers, config: first.blobs[0]!, annotations: { index: String(index) } })
    })
    await pushBlobs(repository, first)
    const answers = await Promise.all(images.map(({ bytes }) => put(`${repository}/manifests/v1`, bytes)))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201))
    const tagged = await ask(`${repository}/manifests/v1`)
    expect(images.map(({ digest }) => digest)).toContain(tagged.headers['docker-content-digest'])
    expect(digestOf(tagged.body)).toBe(tagged.headers['docker-content-digest'])
  })
})

describe('the subject of a push', () => {
  const there = anImageManifest()
  const missing = anImageManifest()
  const sha512 = { ...missing.descriptor, digest: digestOf(missing.bytes, 'sha512') }

  test.each<[string, TestManifest]>([
    ['an image', anImageManifest({ subject: there.descriptor })],
    ['an index', anImageIndex({ subject: there.descriptor })],
    ['an artifact', anArtifact({ subject: there.descriptor })],
    ['an image whose subject is missing', anImageManifest({ subject: missing.descriptor })],
    ['an index whose subject is missing', anImageIndex({ subject: missing.descriptor })],
    ['an artifact whose subject is named by sha512', anArtifact({ subject: sha512 })],
  ])('end-7a: OCI-Subject names the subject of %s, by tag and by digest', async (_what, manifest) => {
    const repository = registry.repository()
    await pushImage(repository, there)
    await pushBlobs(repository, manifest)
    const { digest: subject } = manifest.json['subject'] as { digest: string }
    for (const reference of ['v1', manifest.digest, digestOf(manifest.bytes, 'sha512')]) {
      const answer = await put(`${repository}/manifests/${reference}`, manifest.bytes, manifest.mediaType)
      expectStatus(answer, 201)
      expect(answer.headers['oci-subject']).toBe(subject)
    }
  })

  test('end-7a: without a subject the response has no OCI-Subject', async () => {
    const repository = registry.repository()
    await pushBlobs(repository, there)
    const answer = await put(`${repository}/manifests/v1`, there.bytes)
    expectStatus(answer, 201)
    expect(answer.headers['oci-subject']).toBeUndefined()
    expect(answer.headers['oci-tag']).toBeUndefined()
  })
})

describe('a push by digest with tags', () => {
  const image = anImageManifest()

  async function putTagged(repository: string, reference: string, tags: readonly string[]): Promise<Answer> {
    await pushBlobs(repository, image)
    const query = tags.map((tag) => `tag=${encodeURIComponent(tag)}`).join('&')
    return await put(`${repository}/manifests/${reference}?${query}`, image.bytes)
  }

  test.each([
    ['one tag', ['v1']],
    ['two tags', ['v1', 'latest']],
    ['ten tags', Array.from({ length: 10 }, (_, index) => `v${index}`)],
    ['100 long tags', Array.from({ length: 100 }, (_, index) => `v${index}`.padEnd(128, '_'))],
  ])('end-7b: %s are set and named in OCI-Tag', async (_what, tags) => {
    const repository = registry.repository()
    const answer = await putTagged(repository, image.digest, tags)
    await expectPushed(answer, repository, image)
    expect(valuesOf(answer, 'oci-tag').sort()).toEqual([...tags].sort())
    const list = (await ask(`${repository}/tags/list`)).json() as { tags: string[] }
    expect(list.tags).toEqual([...tags].sort())
    const last = await ask(`${repository}/manifests/${tags.at(-1)}`)
    expect(last.headers['docker-content-digest']).toBe(image.digest)
  })

  test('end-7b: the same tag twice counts once', async () => {
    const repository = registry.repository()
    const answer = await putTagged(repository, image.digest, ['v1', 'v2', 'v1', 'v1'])
    expectStatus(answer, 201)
    expect(valuesOf(answer, 'oci-tag').sort()).toEqual(['v1', 'v2'])
  })

  test('end-7b, end-3: a tag set by a sha512 push shows sha512', async () => {
    const repository = registry.repository()
    const digest = digestOf(image.bytes, 'sha512')
    await expectPushed(await putTagged(repository, digest, ['v1', 'v2']), repository, { ...image, digest })
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask(`${repository}/manifests/v2`, { method })
      expect(answer.headers['docker-content-digest']).toBe(digest)
      expect(answer.headers['etag']).toBe(`"${digest}"`)
    }
    expect((await put(`${repository}/manifests/v2`, image.bytes)).status).toBe(201)
    const moved = await ask(`${repository}/manifests/v2`)
    expect(moved.headers['docker-content-digest']).toBe(image.digest)
  })

  test('end-7b: tags move from their previous manifest', async () => {
    const repository = registry.repository()
    await pushImage(repository, anImageManifest(), { reference: 'v1' })
    expectStatus(await putTagged(repository, image.digest, ['v0', 'v1']), 201)
    const answer = await ask(`${repository}/manifests/v1`)
    expect(answer.headers['docker-content-digest']).toBe(image.digest)
  })

  test('end-7b: with a push by tag it is refused, and nothing is stored', async () => {
    const repository = registry.repository()
    const answer = await putTagged(repository, 'v1', ['v2'])
    expectError(answer, { status: 400, code: 'TAG_INVALID', naming: ['?tag=', 'v1', /digest/] })
    expect((await ask(`${repository}/tags/list`)).json()).toMatchObject({ tags: [] })
  })

  test.each(['.bad', '', 'a b', 'x'.repeat(129)])(
    'end-7b: one bad tag ("%s") refuses the whole push',
    async (bad) => {
      const repository = registry.repository()
      const answer = await putTagged(repository, image.digest, ['v1', bad])
      expectError(answer, { status: 400, code: 'TAG_INVALID', naming: [/tag "/] })
      expect((await ask(`${repository}/tags/list`)).json()).toMatchObject({ tags: [] })
      expect((await ask(`${repository}/manifests/${image.digest}`)).status).toBe(404)
    },
  )

  test('end-7b: more tags than the limit are refused with 414 and both numbers', async () => {
    const repository = registry.repository()
    const tags = Array.from({ length: 101 }, (_, index) => `v${index}`)
    const answer = await putTagged(repository, image.digest, tags)
    expectError(answer, { status: 414, code: 'TAG_INVALID', naming: ['101', '100', /further/] })
    expect((await ask(`${repository}/tags/list`)).json()).toMatchObject({ tags: [] })
  })
})

describe('the size of a manifest', () => {
  test('end-7a: 3.92 MB of annotations are accepted', async () => {
    const repository = registry.repository()
    const annotations = Object.fromEntries(
      Array.from({ length: 390 }, (_, index) => [`org.example.${index}`, 'x'.repeat(10_000)]),
    )
    const image = anImageManifest({ annotations })
    expect(image.size).toBeGreaterThan(3_900_000)
    await pushBlobs(repository, image)
    await expectPushed(await put(`${repository}/manifests/v1`, image.bytes), repository, image)
  })

  test('end-7a: exactly the limit is accepted, one byte more gets 413 with the limit', async () => {
    const repository = registry.repository()
    const fitting = anImageOf(tenMebibytes)
    await pushBlobs(repository, fitting)
    await expectPushed(await put(`${repository}/manifests/v1`, fitting.bytes), repository, fitting)
    const tooLarge = anImageOf(tenMebibytes + 1, fitting)
    const naming = [String(tenMebibytes), /blobs/]
    const wanted = { status: 413, code: 'SIZE_INVALID', naming }
    expectError(await put(`${repository}/manifests/v2`, tooLarge.bytes), wanted)
    expectError(await put(`${repository}/manifests/v2`, iterate([tooLarge.bytes])), wanted)
    expect((await ask(`${repository}/manifests/v2`)).status).toBe(404)
  })

  test('A2: a hundred thousand layers are refused with the limit, ten thousand are accepted', async () => {
    const repository = registry.repository()
    const layer = aBlob('')
    await pushBlob(repository, layer)
    const one = { mediaType: 'a/b', digest: layer.digest, size: 0 }
    const imageOf = (length: number) => {
      const json = { schemaVersion: 2, config: one, layers: Array.from({ length }, () => one) }
      return aManifest(mediaType.ociManifest, { json })
    }
    const tooMany = imageOf(90_000)
    expect(tooMany.size).toBeLessThan(tenMebibytes)
    const refused = { status: 400, code: 'MANIFEST_INVALID', naming: ['90000', '10000'] }
    expectError(await put(`${repository}/manifests/v1`, tooMany.bytes), refused)
    expect((await put(`${repository}/manifests/v1`, imageOf(10_000).bytes)).status).toBe(201)
  })

  test.each([
    ['arrays', '[', 1_000_000],
    ['objects', '{"a":', 1_000_000],
  ])('A2: %s nested too deeply are refused with 400', async (_what, opening, times) => {
    const repository = registry.repository()
    const answer = await put(`${repository}/manifests/v1`, opening.repeat(times))
    expectError(answer, { status: 400, code: 'MANIFEST_INVALID' })
  })
})
