/** end-3: pulling manifests. */
import { beforeAll, describe, expect, test } from 'vitest'
import { expectError, expectStatus } from '../support/http/answers.ts'
import { ask } from '../support/http/client.ts'
import type { Answer } from '../support/http/client.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import {
  aManifest,
  anArtifact,
  anImageIndex,
  anImageManifest,
  mediaType,
  pushBlob,
  pushImage,
  pushManifest,
} from '../support/content/manifests.ts'
import type { TestManifest } from '../support/content/manifests.ts'
import { aBlob, aRandomBlob, digestOf } from '../support/content/random.ts'
import type { TestBlob } from '../support/content/random.ts'

const registry = shareRegistry({ storage: { driver: 'memory' } })

function expectManifestHeaders(answer: Answer, manifest: TestBlob & { readonly mediaType: string }): void {
  expectStatus(answer, 200)
  const { headers } = answer
  expect(headers['content-type']).toBe(manifest.mediaType)
  expect(headers['content-length']).toBe(String(manifest.size))
  expect(headers['docker-content-digest']).toBe(manifest.digest)
  expect(headers['etag']).toBe(`"${manifest.digest}"`)
  expect(headers['transfer-encoding']).toBeUndefined()
  expect(headers['content-encoding']).toBeUndefined()
}

async function expectServed(repository: string, manifest: TestManifest, reference: string): Promise<void> {
  const url = `${repository}/manifests/${reference}`
  const got = await ask(url)
  expectManifestHeaders(got, manifest)
  expect(got.body.equals(manifest.bytes)).toBe(true)
  const head = await ask(url, { method: 'HEAD' })
  expectManifestHeaders(head, manifest)
  expect(head.body).toHaveLength(0)
}

const child = anImageManifest()

describe('manifests', () => {
  test.each<[string, TestManifest]>([
    ['an OCI image', anImageManifest({ layers: 3 })],
    ['an image without layers', anImageManifest({ layers: 0 })],
    ['an image with annotations', anImageManifest({ annotations: { 'org.example.ä': 'ö "\\ \u2028' } })],
    ['a Docker image', anImageManifest({ docker: true })],
    ['an artifact', anArtifact()],
    ['an OCI index', anImageIndex({ manifests: [child, anImageManifest()] })],
    ['an empty index', anImageIndex()],
    [
      'a Docker manifest list',
      anImageIndex({ docker: true, manifests: [anImageManifest({ docker: true })] }),
    ],
    ['an index of an index', anImageIndex({ manifests: [anImageIndex({ manifests: [child] })] })],
    ['unknown fields', anImageManifest({ extra: { 'org.example': [1.5e300, { a: null }], x: 'y' } })],
  ])('end-3: %s is served byte for byte, by tag and by digest', async (_what, manifest) => {
    const repository = registry.repository()
    await pushImage(repository, manifest, { reference: 'v1' })
    await expectServed(repository, manifest, 'v1')
    await expectServed(repository, manifest, manifest.digest)
    await expectServed(repository, manifest, manifest.digest)
  })

  test.each([
    ['spaces and line breaks around', (text: string) => `\n\t ${text}  \r\n`],
    [
      'an order and a form no encoder makes',
      (text: string) => text.replaceAll(':', ' :\n ').replaceAll('sha256 :\n ', 'sha256:'),
    ],
  ])('end-3: keep %s', async (_what, change) => {
    const repository = registry.repository()
    const plain = anImageManifest()
    const manifest = { ...plain, ...aBlob(change(plain.bytes.toString())) }
    await pushImage(repository, manifest, { reference: 'v1' })
    await expectServed(repository, manifest, 'v1')
  })

  test('end-3: pushed by sha512 it is served under sha512, and not under sha256', async () => {
    const repository = registry.repository()
    const plain = anImageManifest()
    const manifest = { ...plain, digest: digestOf(plain.bytes, 'sha512') }
    await pushImage(repository, manifest)
    await expectServed(repository, manifest, manifest.digest)
    expectError(await ask(`${repository}/manifests/${plain.digest}`), {
      status: 404,
      code: 'MANIFEST_UNKNOWN',
    })
    await pushManifest(repository, plain, { reference: 'v1' })
    await expectServed(repository, plain, 'v1')
    await expectServed(repository, plain, plain.digest)
    await expectServed(repository, manifest, manifest.digest)
  })

  test('end-3: one manifest in two repositories keeps the media type of each push', async () => {
    const [one, two] = [registry.repository(), registry.repository()]
    const { mediaType: _left, ...json } = anImageManifest({ layers: 0 }).json
    const config = aBlob('{}')
    const bare = { ...json, config: { mediaType: mediaType.dockerConfig, digest: config.digest, size: 2 } }
    const oci = aManifest(mediaType.ociManifest, { json: bare, blobs: [config] })
    const docker = { ...oci, mediaType: mediaType.dockerManifest }
    await pushImage(one, oci)
    await pushImage(two, docker)
    await expectServed(one, oci, oci.digest)
    await expectServed(two, docker, docker.digest)
  })

  test('end-3: the last push of a tag wins, and the previous manifest stays under its digest', async () => {
    const repository = registry.repository()
    const [before, after] = [anImageManifest(), anImageManifest()]
    await pushImage(repository, before, { reference: 'v1' })
    await pushImage(repository, after, { reference: 'v1' })
    await expectServed(repository, after, 'v1')
    await expectServed(repository, before, before.digest)
  })
})

describe('missing manifests', () => {
  test('end-3: 404 MANIFEST_UNKNOWN names the tag or the digest', async () => {
    const repository = registry.repository()
    await pushImage(repository, anImageManifest(), { reference: 'v1' })
    const { digest } = aRandomBlob()
    for (const reference of ['v2', digest, '.INVALID_MANIFEST_NAME']) {
      const url = `${repository}/manifests/${reference}`
      expectError(await ask(url), { status: 404, code: 'MANIFEST_UNKNOWN', naming: [reference] })
      expect((await ask(url, { method: 'HEAD' })).status).toBe(404)
    }
  })

  test('end-3: 404 MANIFEST_UNKNOWN names the repository that was never pushed to', async () => {
    const repository = registry.repository()
    const name = new URL(repository).pathname.slice('/v2/'.length)
    for (const reference of ['v1', aRandomBlob().digest]) {
      const answer = await ask(`${repository}/manifests/${reference}`)
      expectError(answer, { status: 404, code: 'MANIFEST_UNKNOWN', naming: [name, /push/] })
      expect((await ask(`${repository}/manifests/${reference}`, { method: 'HEAD' })).status).toBe(404)
    }
  })

  test('B2: a manifest is visible only in the repository to which it was pushed', async () => {
    const [mine, other] = [registry.repository(), registry.repository()]
    const image = anImageManifest()
    await pushImage(mine, image, { reference: 'v1' })
    await pushImage(other, anImageManifest(), { reference: 'v2' })
    await expectServed(mine, image, image.digest)
    for (const reference of ['v1', image.digest]) {
      expectError(await ask(`${other}/manifests/${reference}`), { status: 404, code: 'MANIFEST_UNKNOWN' })
    }
  })

  test('end-3: a blob is not served as a manifest, whatever its content', async () => {
    const repository = registry.repository()
    const image = anImageManifest()
    await pushBlob(repository, image)
    const layer = aRandomBlob(100_000)
    await pushBlob(repository, layer)
    for (const { digest } of [image, layer]) {
      expectError(await ask(`${repository}/manifests/${digest}`), { status: 404, code: 'MANIFEST_UNKNOWN' })
    }
  })
})

describe('content negotiation', () => {
  const image = anImageManifest()
  const index = anImageIndex({ manifests: [image] })
  let repository = ''
  beforeAll(async () => {
    repository = registry.repository()
    await pushImage(repository, index, { reference: 'v1' })
  })

  test.each([
    [''],
    ['*/*'],
    ['application/json'],
    ['text/html'],
    [mediaType.dockerManifest],
    [mediaType.ociManifest],
    ['application/vnd.docker.distribution.manifest.v1+json'],
    [`${mediaType.ociManifest};q=0`],
    ['nonsense;;;,'],
    [Object.values(mediaType).join(', ')],
  ])('end-3: Accept: %s gets the pushed manifest, never 406', async (accept) => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask(`${repository}/manifests/v1`, { method, headers: { accept } })
      expectManifestHeaders(answer, index)
    }
    const byDigest = await ask(`${repository}/manifests/${image.digest}`, { headers: { accept } })
    expectManifestHeaders(byDigest, image)
  })

  test('end-3: several Accept lines, Accept-Encoding and Range change nothing', async () => {
    const headers = {
      accept: [mediaType.dockerManifest, mediaType.ociIndex],
      'accept-encoding': 'gzip, br',
      range: 'bytes=0-3',
    }
    const answer = await ask(`${repository}/manifests/v1`, { headers })
    expectManifestHeaders(answer, index)
    expect(answer.body.equals(index.bytes)).toBe(true)
  })

  test('end-3: a ?ns= of a proxying client is ignored', async () => {
    expectManifestHeaders(await ask(`${repository}/manifests/v1?ns=docker.io`), index)
  })
})

describe('If-None-Match and If-Match', () => {
  const image = anImageManifest()
  let repository = ''
  beforeAll(async () => {
    repository = registry.repository()
    await pushImage(repository, image, { reference: 'v1' })
  })

  test.each(['"{digest}"', '{digest}', 'W/"{digest}"', '"sha256:x", "{digest}"', 'sha256:x, {digest}', '*'])(
    'end-3: %s answers 304 without a body',
    async (pattern) => {
      const headers = { 'if-none-match': pattern.replace('{digest}', image.digest) }
      for (const reference of ['v1', image.digest]) {
        for (const method of ['GET', 'HEAD']) {
          const answer = await ask(`${repository}/manifests/${reference}`, { method, headers })
          expect(answer.status).toBe(304)
          expect(answer.headers['etag']).toBe(`"${image.digest}"`)
          expect(answer.headers['docker-content-digest']).toBe(image.digest)
          expect(answer.body).toHaveLength(0)
        }
      }
    },
  )

  test.each([
    ['"{digest}"', 200],
    ['"sha256:x"', 412],
  ])('end-3: If-Match: %s answers %i', async (pattern, status) => {
    const headers = { 'if-match': pattern.replace('{digest}', image.digest) }
    for (const reference of ['v1', image.digest]) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await ask(`${repository}/manifests/${reference}`, { method, headers })
        expect(answer.status).toBe(status)
      }
    }
  })

  test('end-3: an entity tag from before the tag moved gets the manifest', async () => {
    const moved = anImageManifest()
    await pushImage(repository, moved, { reference: 'moving' })
    await pushManifest(repository, image, { reference: 'moving' })
    const headers = { 'if-none-match': `"${moved.digest}"` }
    expectManifestHeaders(await ask(`${repository}/manifests/moving`, { headers }), image)
  })

  test('end-3: does not turn a 404 into a 304', async () => {
    const headers = { 'if-none-match': '*' }
    expectError(await ask(`${repository}/manifests/v2`, { headers }), {
      status: 404,
      code: 'MANIFEST_UNKNOWN',
    })
  })
})
