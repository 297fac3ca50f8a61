/** end-7a: what a manifest names must be here, or need not be: strict, lenient, foreign, blobs in an index. */
import { describe, expect, test } from 'vitest'
import { errorsOf, expectError, expectStatus } from '../support/answers.ts'
import { ask } from '../support/client.ts'
import type { Answer } from '../support/client.ts'
import { shareRegistry } from '../support/in-process.ts'
import {
  aDescriptor,
  aManifest,
  anImageIndex,
  anImageManifest,
  mediaType,
  pushBlob,
  pushImage,
  pushManifest,
} from '../support/manifests.ts'
import type { TestManifest } from '../support/manifests.ts'
import { aBlob, aRandomBlob } from '../support/random.ts'
import type { TestBlob } from '../support/random.ts'

async function put(repository: string, manifest: TestManifest, reference = 'v1'): Promise<Answer> {
  const headers = { 'content-type': manifest.mediaType }
  return await ask(`${repository}/manifests/${reference}`, { method: 'PUT', body: manifest.bytes, headers })
}

/** One error per digest, each with the digest in message and detail. */
function expectMissing(answer: Answer, blobs: readonly TestBlob[]): void {
  const [first] = blobs
  expectError(answer, { status: 400, code: 'MANIFEST_BLOB_UNKNOWN', naming: [first?.digest ?? '', /push/] })
  const errors = errorsOf(answer)
  expect(errors.map(({ code }) => code)).toEqual(blobs.map(() => 'MANIFEST_BLOB_UNKNOWN'))
  expect(errors.map(({ detail }) => detail)).toEqual(blobs.map(({ digest }) => ({ digest })))
  for (const [position, { message }] of errors.entries()) expect(message).toContain(blobs[position]?.digest)
}

describe('missing content, as configured by default', () => {
  const registry = shareRegistry()

  test('end-7a: every missing blob of an image is named at once, each once', async () => {
    const repository = registry.repository()
    const [there, missing, other] = [aRandomBlob(), aRandomBlob(), aRandomBlob()]
    const image = anImageManifest({ layers: [missing, there, other, missing] })
    await pushBlob(repository, there)
    expectMissing(await put(repository, image), [image.blobs[0]!, missing, other])
    await pushBlob(repository, image.blobs[0]!)
    expectMissing(await put(repository, image, image.digest), [missing, other])
    expect((await ask(`${repository}/manifests/v1`)).status).toBe(404)
    expect((await ask(`${repository}/manifests/${image.digest}`)).status).toBe(404)
    await pushImage(repository, image, { reference: 'v1' })
    expectStatus(await ask(`${repository}/manifests/v1`), 200)
  })

  test('end-7a: a refused first push does not make the repository', async () => {
    const repository = registry.repository()
    const image = anImageManifest()
    expectMissing(await put(repository, image), image.blobs)
    expectError(await ask(`${repository}/tags/list`), { status: 404, code: 'NAME_UNKNOWN' })
  })

  test('B2: what another repository has does not count', async () => {
    const repository = registry.repository()
    const image = anImageManifest()
    await pushImage(registry.repository(), image)
    expectMissing(await put(repository, image), image.blobs)
  })

  test('end-7a: a blob deleted before the push is missing', async () => {
    const repository = registry.repository()
    const image = anImageManifest()
    for (const blob of image.blobs) await pushBlob(repository, blob)
    await ask(`${repository}/blobs/${image.blobs[1]?.digest}`, { method: 'DELETE' })
    expectMissing(await put(repository, image), image.blobs.slice(1))
  })

  test('end-7a: a refusal does not move the tag', async () => {
    const repository = registry.repository()
    const image = anImageManifest()
    await pushImage(repository, image, { reference: 'v1' })
    expect((await put(repository, anImageManifest())).status).toBe(400)
    const answer = await ask(`${repository}/manifests/v1`)
    expect(answer.headers['docker-content-digest']).toBe(image.digest)
  })

  test('end-7a: a hundred missing layers are a hundred errors', async () => {
    const repository = registry.repository()
    const image = anImageManifest({ layers: 100, layerBytes: 8 })
    expectMissing(await put(repository, image), image.blobs)
  })

  test.each([
    'application/vnd.oci.image.layer.nondistributable.v1.tar',
    'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
    'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
    'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  ])('end-7a: a layer of type %s need not be here', async (type) => {
    const repository = registry.repository()
    const config = aBlob('{}')
    const foreign = aDescriptor(aRandomBlob(), type, { urls: ['https://example.org/layer'] })
    const image = aManifest(mediaType.ociManifest, {
      blobs: [config],
      json: { schemaVersion: 2, config: aDescriptor(config, mediaType.ociConfig), layers: [foreign] },
    })
    await pushImage(repository, image, { reference: 'v1' })
    expectStatus(await ask(`${repository}/manifests/v1`), 200)
  })

  test('end-7a: urls alone do not make a layer foreign', async () => {
    const repository = registry.repository()
    const [config, layer] = [aBlob('{}'), aRandomBlob()]
    const layers = [aDescriptor(layer, mediaType.ociLayer, { urls: ['https://example.org/layer'] })]
    const image = aManifest(mediaType.ociManifest, {
      json: { schemaVersion: 2, config: aDescriptor(config, mediaType.ociConfig), layers },
    })
    await pushBlob(repository, config)
    expectMissing(await put(repository, image), [layer])
  })

  test('end-7a: children of an index may come later', async () => {
    const repository = registry.repository()
    const child = anImageManifest()
    const index = anImageIndex({ manifests: [child] })
    await pushManifest(repository, index, { reference: 'v1' })
    expectError(await ask(`${repository}/manifests/${child.digest}`), {
      status: 404,
      code: 'MANIFEST_UNKNOWN',
    })
    await pushImage(repository, child)
    expectStatus(await ask(`${repository}/manifests/${child.digest}`), 200)
  })

  test('end-7a: an entry of an index that is no manifest is a blob, which must be here (BuildKit cache)', async () => {
    const repository = registry.repository()
    const [layer, config] = [aRandomBlob(), aRandomBlob()]
    const manifests = [
      aDescriptor(layer, mediaType.ociLayer),
      aDescriptor(config, 'application/vnd.buildkit.cacheconfig.v0'),
    ]
    const cache = aManifest(mediaType.ociIndex, { json: { schemaVersion: 2, manifests } })
    expectMissing(await put(repository, cache), [layer, config])
    for (const blob of [layer, config]) await pushBlob(repository, blob)
    expectStatus(await put(repository, cache), 201)
    const deletion = await ask(`${repository}/blobs/${layer.digest}`, { method: 'DELETE' })
    expectError(deletion, { status: 405, code: 'UNSUPPORTED', naming: [layer.digest, cache.digest] })
  })

  test('end-7a: thirty children of one index and the index itself, all at once', async () => {
    const repository = registry.repository()
    const children = Array.from({ length: 30 }, (_, index) => {
      return anImageManifest({ layers: 0, config: aBlob('{}'), annotations: { index: String(index) } })
    })
    await pushBlob(repository, aBlob('{}'))
    const index = anImageIndex({ manifests: children })
    const answers = await Promise.all([...children, index].map((each) => put(repository, each, each.digest)))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201))
  })
})

describe('references.blobs: lenient', () => {
  const registry = shareRegistry({ references: { blobs: 'lenient' } })

  test('end-7a: an image without its layers is taken and served', async () => {
    const repository = registry.repository()
    const image = anImageManifest({ layers: 3 })
    await pushManifest(repository, image, { reference: 'v1' })
    expectStatus(await ask(`${repository}/manifests/v1`), 200)
    const layer = image.blobs[1]!
    expectError(await ask(`${repository}/blobs/${layer.digest}`), { status: 404, code: 'BLOB_UNKNOWN' })
    await pushBlob(repository, layer)
    const deletion = await ask(`${repository}/blobs/${layer.digest}`, { method: 'DELETE' })
    expectError(deletion, { status: 405, code: 'UNSUPPORTED' })
  })
})

describe('references.children: strict', () => {
  const registry = shareRegistry({ references: { children: 'strict' } })

  test('end-7a: every missing child of an index is named at once', async () => {
    const repository = registry.repository()
    const children = [anImageManifest(), anImageManifest(), anImageManifest()]
    const index = anImageIndex({ manifests: children })
    await pushImage(repository, children[1]!)
    expectMissing(await put(repository, index), [children[0]!, children[2]!])
    await pushImage(repository, index, { reference: 'v1' })
    expectStatus(await ask(`${repository}/manifests/v1`), 200)
  })

  test('end-7a: a missing subject is no missing reference', async () => {
    const repository = registry.repository()
    const image = anImageManifest({ subject: anImageManifest().descriptor })
    await pushImage(repository, image)
    expectStatus(await ask(`${repository}/manifests/${image.digest}`), 200)
  })
})
