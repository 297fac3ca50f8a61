/** end-7a: which documents are valid manifests (security-tests E5, image-spec). */
import { beforeAll, describe, expect, test } from 'vitest'
import { expectError, expectStatus } from '../support/http/answers.ts'
import { ask } from '../support/http/client.ts'
import type { Answer } from '../support/http/client.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import { aDescriptor, mediaType, pushBlob } from '../support/content/manifests.ts'
import { aBlob, aRandomBlob } from '../support/content/random.ts'

const registry = shareRegistry({ storage: { driver: 'memory' } })
const [config, layer] = [aBlob('{}'), aRandomBlob()]
const configDescriptor = aDescriptor(config, mediaType.ociConfig)
const layerDescriptor = aDescriptor(layer, mediaType.ociLayer)
const image = { schemaVersion: 2, config: configDescriptor, layers: [layerDescriptor] }
const index = { schemaVersion: 2, manifests: [] }

let repository = ''
beforeAll(async () => {
  repository = registry.repository()
  for (const blob of [config, layer]) await pushBlob(repository, blob)
})

/** Sends a PUT by tag `v1`; without a type it has no `Content-Type`. */
async function put(document: unknown, type?: string): Promise<Answer> {
  const body =
    typeof document === 'string' || document instanceof Buffer ? document : JSON.stringify(document)
  const headers = type === undefined ? {} : { 'content-type': type }
  return await ask(`${repository}/manifests/v1`, { method: 'PUT', body, headers })
}

async function expectRefused(answer: Answer, ...naming: (string | RegExp)[]): Promise<void> {
  expectError(answer, { status: 400, code: 'MANIFEST_INVALID', naming })
}

/** Expects that the manifest was accepted and is served with this type. */
async function expectTaken(answer: Answer, type: string): Promise<void> {
  expectStatus(answer, 201)
  const got = await ask(`${repository}/manifests/${String(answer.headers['docker-content-digest'])}`)
  expect(got.headers['content-type']).toBe(type)
}

describe('the media type', () => {
  test.each([
    [{ ...image, mediaType: mediaType.ociManifest }, mediaType.ociManifest, mediaType.ociManifest],
    [image, mediaType.ociManifest, mediaType.ociManifest],
    [image, mediaType.dockerManifest, mediaType.dockerManifest],
    [index, mediaType.ociIndex, mediaType.ociIndex],
    [index, mediaType.dockerManifestList, mediaType.dockerManifestList],
    [{ ...image, mediaType: mediaType.dockerManifest }, undefined, mediaType.dockerManifest],
    [{ ...index, mediaType: mediaType.dockerManifestList }, undefined, mediaType.dockerManifestList],
    [image, undefined, mediaType.ociManifest],
    [index, undefined, mediaType.ociIndex],
    [image, `${mediaType.ociManifest}; charset=utf-8`, mediaType.ociManifest],
    [{ ...index, mediaType: mediaType.ociIndex }, `${mediaType.ociIndex};x="y"`, mediaType.ociIndex],
    [image, mediaType.ociManifest.toUpperCase(), mediaType.ociManifest],
  ])('end-7a: %j with Content-Type %s is served as %s', async (document, contentType, served) => {
    await expectTaken(await put(document, contentType), served)
  })

  test.each([
    [{ ...image, mediaType: mediaType.ociManifest }, mediaType.dockerManifest],
    [{ ...image, mediaType: mediaType.ociManifest }, mediaType.ociIndex],
    [{ ...index, mediaType: mediaType.ociIndex }, mediaType.ociManifest],
    [{ ...image, mediaType: mediaType.ociManifest }, 'application/json'],
  ])('E5: %j with Content-Type %s is refused, naming both types', async (document, contentType) => {
    await expectRefused(await put(document, contentType), document.mediaType, contentType, /Content-Type/)
  })

  test.each([
    [image, 'application/json', /media type/],
    [image, 'text/html', /media type/],
    [{ ...image, mediaType: 'application/vnd.example+json' }, 'application/vnd.example+json', /media type/],
    [{ ...image, mediaType: '' }, undefined, /mediaType/],
    [{ ...image, mediaType: 5 }, mediaType.ociManifest, /mediaType/],
    [{ schemaVersion: 2 }, undefined, /manifests.*config.*layers/],
  ])('end-7a: %j with Content-Type %s is refused as a manifest', async (document, contentType, naming) => {
    await expectRefused(await put(document, contentType), naming)
  })

  test.each([
    ['application/vnd.docker.distribution.manifest.v1+json', { schemaVersion: 1, fsLayers: [], history: [] }],
    ['application/vnd.docker.distribution.manifest.v1+prettyjws', { schemaVersion: 1, fsLayers: [] }],
    [undefined, { schemaVersion: 1, name: 'a/b', tag: 'v1', fsLayers: [], history: [] }],
  ])('end-7a: Docker schema 1 (%s) is refused with an alternative', async (contentType, document) => {
    await expectRefused(await put(document, contentType), /schema 1/, /skopeo|push it again/)
  })

  test('end-7a: the withdrawn artifact manifest is refused, so that old clients use the fallback', async () => {
    const type = 'application/vnd.oci.artifact.manifest.v1+json'
    await expectRefused(await put({ mediaType: type, blobs: [] }, type), /artifactType/)
  })
})

describe('a document of two kinds', () => {
  test.each([
    [{ ...image, manifests: [] }, mediaType.ociManifest, 'manifests'],
    [{ ...index, layers: [] }, mediaType.ociIndex, 'layers'],
    [{ ...index, config: configDescriptor }, mediaType.ociIndex, 'config'],
    [{ ...image, ...index }, undefined, /layers|config|manifests/],
    [{ ...image, fsLayers: [] }, mediaType.ociManifest, 'fsLayers'],
    [{ ...index, fsLayers: [] }, mediaType.ociIndex, 'fsLayers'],
    [image, mediaType.ociIndex, /layers|config|manifests/],
    [index, mediaType.ociManifest, /config|manifests/],
  ])('E5: %j as %s is refused', async (document, contentType, naming) => {
    await expectRefused(await put(document, contentType), naming)
  })
})

describe('names that two parsers read differently', () => {
  const text = JSON.stringify(image)

  test.each([
    ['a name twice', text.replace('{', '{"layers":[],'), 'layers'],
    ['a name twice, once escaped', text.replace('{', String.raw`{"l\u0061yers":[],`), 'layers'],
    ['a nested name twice', text.replace('"size":', '"size":1,"size":'), 'size'],
    ['a name in other letters', text.replace('{', '{"Layers":[],'), 'Layers'],
    ['a name in other letters instead', text.replace('"layers"', '"LAYERS"'), 'LAYERS'],
    ['a name with a long s', text.replace('{', '{"layer\u017f":[],'), 'layers'],
    ['mediaType in other letters', text.replace('{', `{"mediatype":"${mediaType.ociIndex}",`), 'mediatype'],
    ['digest in other letters', text.replace('"digest":', '"Digest":"x","digest":'), 'Digest'],
  ])('E5: %s is refused', async (_what, document, naming) => {
    await expectRefused(await put(document, mediaType.ociManifest), naming)
  })
})

describe('a text that is not a manifest', () => {
  test.each([
    ['nothing', ''],
    ['no JSON', 'manifest'],
    ['half of one', JSON.stringify(image).slice(0, -10)],
    ['more than one', `${JSON.stringify(image)}{}`],
    ['a number', '2'],
    ['null', 'null'],
    ['an array', '[]'],
    ['a string', '"manifest"'],
    [
      'bytes that are no UTF-8',
      Buffer.concat([Buffer.from(JSON.stringify(image).slice(0, -1)), Buffer.from([0xff, 0x7d])]),
    ],
    ['a byte order mark', `\ufeff${JSON.stringify(image)}`],
    ['UTF-16', Buffer.from(JSON.stringify(image), 'utf16le')],
    ['NaN', '{"schemaVersion":NaN}'],
    ['a comment', `/**/${JSON.stringify(image)}`],
    ['a trailing comma', JSON.stringify(image).replace(/\}$/, ',}')],
    ['a lone surrogate', String.raw`{"schemaVersion":2,"x":"\ud800"}`],
  ])('end-7a: %s is refused with its place', async (_what, document) => {
    await expectRefused(await put(document, mediaType.ociManifest), /\S/)
  })

  test('end-7a: is refused with the byte at which the text stops being JSON', async () => {
    const answer = await put('{"schemaVersion": 2, oops}', mediaType.ociManifest)
    await expectRefused(answer, 'byte 21')
  })
})

describe('a manifest with a fault', () => {
  const descriptor = (change: Record<string, unknown>) => ({
    ...image,
    layers: [{ ...layerDescriptor, ...change }],
  })

  test.each([
    [{ ...image, schemaVersion: 3 }, 'schemaVersion'],
    [{ ...image, schemaVersion: '2' }, 'schemaVersion'],
    [{ config: configDescriptor, layers: [] }, 'schemaVersion'],
    [{ schemaVersion: 2, layers: [] }, 'config'],
    [{ schemaVersion: 2, config: configDescriptor }, 'layers'],
    [{ ...image, layers: {} }, 'layers'],
    [{ ...image, layers: ['x'] }, 'layers[0]'],
    [{ ...image, config: [] }, 'config'],
    [{ ...image, annotations: { a: 1 } }, 'annotations'],
    [{ ...image, annotations: [] }, 'annotations'],
    [{ ...image, subject: 'sha256:abc' }, 'subject'],
    [{ ...image, artifactType: 5 }, 'artifactType'],
    [descriptor({ digest: 'sha256:abc' }), 'layers[0].digest'],
    [descriptor({ digest: layer.digest.toUpperCase() }), 'layers[0].digest'],
    [descriptor({ digest: undefined }), 'layers[0].digest'],
    [descriptor({ digest: null }), 'layers[0].digest'],
    [descriptor({ digest: '../../etc/passwd' }), 'layers[0].digest'],
    [descriptor({ size: -1 }), 'layers[0].size'],
    [descriptor({ size: 1.5 }), 'layers[0].size'],
    [descriptor({ size: '1' }), 'layers[0].size'],
    [descriptor({ size: undefined }), 'layers[0].size'],
    [descriptor({ size: 2 ** 60 }), 'layers[0].size'],
    [descriptor({ mediaType: undefined }), 'layers[0].mediaType'],
    [descriptor({ mediaType: 7 }), 'layers[0].mediaType'],
    [descriptor({ data: '!' }), 'layers[0].data'],
    [descriptor({ data: 'AAAA' }), 'layers[0].data'],
    [{ ...image, subject: { ...layerDescriptor, size: -1 } }, 'subject.size'],
  ])('end-7a: %j is refused, naming %s', async (document, path) => {
    await expectRefused(await put(document, mediaType.ociManifest), path)
  })

  test('end-7a: leaves nothing after its refusal: no tag, no manifest, not even the repository', async () => {
    repository = registry.repository()
    await expectRefused(await put({ ...image, schemaVersion: 3 }, mediaType.ociManifest))
    expectError(await ask(`${repository}/tags/list`), { status: 404, code: 'NAME_UNKNOWN' })
    for (const blob of [config, layer]) await pushBlob(repository, blob)
  })
})

describe('content that a registry need not know', () => {
  test.each([
    [{ ...image, config: { ...configDescriptor, mediaType: 'application/vnd.example.config' } }],
    [{ ...image, layers: [{ ...layerDescriptor, mediaType: 'application/vnd.example.layer' }] }],
    [{ ...image, artifactType: 'application/vnd.example.type', other: { deep: [1, null, 'x'] } }],
    [{ ...image, layers: [{ ...layerDescriptor, 'org.example': true, annotations: { a: 'b' } }] }],
    [{ ...image, layers: [] }],
    [{ ...image, layers: [layerDescriptor, layerDescriptor] }],
    [{ ...image, config: { ...configDescriptor, data: 'e30=' } }],
    [{ ...image, annotations: {} }],
    [{ ...image, annotations: null, subject: null }],
  ])('end-7a: %j is accepted', async (document) => {
    await expectTaken(await put(document, mediaType.ociManifest), mediaType.ociManifest)
  })
})
