/** end-7a: whether the content that a manifest names must exist: strict, lenient, foreign, blobs in an index. */
import { describe, expect, test } from 'vitest'
import { errorsOf, expectError, expectStatus } from '../support/http/answers.ts'
import { ask } from '../support/http/client.ts'
import type { Answer } from '../support/http/client.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import {
  aDescriptor,
  aManifest,
  anImageIndex,
  anImageManifest,
  mediaType,
  pushBlob,
  pushImage,
  pushManifest,
} from '../support/content/manifests.ts'
import type { TestManifest } from '../support/content/manifests.ts'
import { aBlob, aRandomBlob } from '../support/content/random.ts'
import type { TestBlob } from '../support/content/random.ts'

async function put(repository: string, manifest: TestManifest, reference = 'v1'): Promise<Answer> {
  const headers = { 'content-type': manifest.mediaType }
  return await ask(`${repository}/manifests/${reference}`, { method: 'PUT', body: manifest.bytes, headers })
}

/** Expects one error per digest, with the digest in message and detail. */
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

  test('end-7a: every missing blob of an image is named in one error, each once', async () => {
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

  test('end-7a: a refused first push does not create the repository', async () => {
    const repository = registry.repository()
    const image = anImageManifest()
    expectMissing(await put(repository, image), image.blobs)
    expectError(await ask(`${repository}/tags/list`), { status: 404, code: 'NAME_UNKNOWN' })
  })

  test('B2: content of another repository does not count', async () => {
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

  test('end-7a: a hundred missing layers give a hundred errors', async () => {
    const repository = registry.repository()
    const image = anImageManifest({ layers: 100, layerBytes: 8 })
    expectMissing(await put(repository, image), image.blobs)
  })

  test.each([
    'application/vnd.oci.image.layer.nondistributable.v1.tar',
    'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
    'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
    'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  ])('end-7a: a layer of type %s may be missing', async (type) => {
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

  test('end-7a: an entry of an index that is not a manifest is a blob, which must exist (BuildKit cache)', async () => {
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

describe('sizes in descriptors', () => {
  const registry = shareRegistry()
  const wrong = 7_777_777

  /** Returns the manifest with a wrong size for this digest. */
  function missized(manifest: TestManifest, digest: string, size = wrong): TestManifest {
    const text = JSON.stringify(manifest.json, (_, value: unknown) =>
      typeof value === 'object' && value !== null && 'digest' in value && value.digest === digest
        ? { ...value, size }
        : value,
    )
    const json = JSON.parse(text) as Record<string, unknown>
    return aManifest(manifest.mediaType, { json, blobs: manifest.blobs, children: manifest.children })
  }

  function expectWrongSize(answer: Answer, { digest, size }: TestBlob): void {
    const naming = [digest, `${wrong}`, `${size}`]
    expectError(answer, { status: 400, code: 'SIZE_INVALID', naming })
    expect(errorsOf(answer)[0]?.detail).toMatchObject({ sizes: [{ digest, given: wrong, actual: size }] })
  }

  test.each([
    ['the config', 0],
    ['a layer', 2],
  ])('end-7a: %s whose size differs from its blob is refused, with both sizes', async (_, position) => {
    const repository = registry.repository()
    const image = anImageManifest({ layers: 3 })
    for (const blob of image.blobs) await pushBlob(repository, blob)
    const blob = image.blobs[position]!
    const bad = missized(image, blob.digest)
    for (const reference of ['v1', bad.digest]) expectWrongSize(await put(repository, bad, reference), blob)
    expectWrongSize(await put(repository, missized(image, blob.digest, wrong)), blob)
    expect((await ask(`${repository}/manifests/${bad.digest}`)).status).toBe(404)
    expectStatus(await put(repository, image), 201)
  })

  test('end-7a: missing content is reported first, so that a client pushes it', async () => {
    const repository = registry.repository()
    const image = anImageManifest({ layers: 2 })
    await pushBlob(repository, image.blobs[0]!)
    expectMissing(await put(repository, missized(image, image.blobs[0]!.digest)), image.blobs.slice(1))
  })

  test('end-7a: a child and a blob of an index with a wrong size are refused', async () => {
    const repository = registry.repository()
    const [child, blob] = [anImageManifest(), aRandomBlob()]
    await pushImage(repository, child)
    await pushBlob(repository, blob)
    const index = anImageIndex({ manifests: [child] })
    expectWrongSize(await put(repository, missized(index, child.digest)), child)
    const manifests = [{ ...aDescriptor(blob, mediaType.ociLayer), size: wrong }]
    const cache = aManifest(mediaType.ociIndex, { json: { schemaVersion: 2, manifests } })
    expectWrongSize(await put(repository, cache), blob)
  })

  test('end-7a: sizes of content that may be missing are not checked: foreign layers, a subject, a child that comes later', async () => {
    const repository = registry.repository()
    const [config, blob] = [aBlob('{}'), aRandomBlob()]
    for (const one of [config, blob]) await pushBlob(repository, one)
    const type = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
    const foreign = { ...aDescriptor(blob, type, { urls: ['https://example.org/layer'] }), size: wrong }
    const image = aManifest(mediaType.ociManifest, {
      json: { schemaVersion: 2, config: aDescriptor(config, mediaType.ociConfig), layers: [foreign] },
    })
    expectStatus(await put(repository, image), 201)
    const subject = { ...image.descriptor, size: wrong }
    expectStatus(await put(repository, anImageManifest({ subject, layers: 0, config })), 201)
    const later = anImageManifest()
    const index = missized(anImageIndex({ manifests: [later] }), later.digest)
    expectStatus(await put(repository, index), 201)
    await pushImage(repository, later)
    expectStatus(await ask(`${repository}/manifests/v1`), 200)
  })

  test('end-7a: a manifest that already exists can be tagged and pushed again', async () => {
    const repository = registry.repository()
    const child = anImageManifest()
    const index = missized(anImageIndex({ manifests: [child] }), child.digest)
    expectStatus(await put(repository, index), 201)
    await pushImage(repository, child)
    expectStatus(await put(repository, index, 'again'), 201)
    expectStatus(await put(repository, index, index.digest), 201)
    expectWrongSize(
      await put(repository, missized(anImageIndex({ manifests: [child], extra: { x: 1 } }), child.digest)),
      child,
    )
  })
})

describe('references.blobs: lenient', () => {
  const registry = shareRegistry({ references: { blobs: 'lenient' } })

  test('end-7a: an image without its layers is accepted and served', async () => {
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

  test('end-7a: every missing child of an index is named in one error', async () => {
    const repository = registry.repository()
    const children = [anImageManifest(), anImageManifest(), anImageManifest()]
    const index = anImageIndex({ manifests: children })
    await pushImage(repository, children[1]!)
    expectMissing(await put(repository, index), [children[0]!, children[2]!])
    await pushImage(repository, index, { reference: 'v1' })
    expectStatus(await ask(`${repository}/manifests/v1`), 200)
  })

  test('end-7a: a missing subject is not an error', async () => {
    const repository = registry.repository()
    const image = anImageManifest({ subject: anImageManifest().descriptor })
    await pushImage(repository, image)
    expectStatus(await ask(`${repository}/manifests/${image.digest}`), 200)
  })
})
