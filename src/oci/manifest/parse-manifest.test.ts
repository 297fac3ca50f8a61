import { describe, expect, test } from 'vitest'
import { parseManifest } from '../../../test/support/content/read-at-once.ts'
import { digestBytes } from '../digest.ts'
import { mediaTypes } from '../media-type.ts'
import { ManifestInvalidError } from './manifest-invalid-error.ts'
import { readManifest } from './parse-manifest.ts'

const layerType = 'application/vnd.oci.image.layer.v1.tar+gzip'
const config = aDescriptor('config', mediaTypes.ociImageConfig)
const layer = aDescriptor('layer', layerType)
const child = {
  ...aDescriptor('child', mediaTypes.ociManifest),
  platform: { os: 'linux', architecture: 'arm64' },
}

describe('an image manifest', () => {
  test('is read with everything that it points at', () => {
    const subject = aDescriptor('subject', mediaTypes.ociManifest)
    const parsed = parse({ ...anImage(), artifactType: 'application/x', subject, annotations: { a: 'b' } })
    expect(parsed).toEqual({
      kind: 'image',
      mediaType: mediaTypes.ociManifest,
      artifactType: 'application/x',
      config,
      layers: [layer],
      children: [],
      blobEntries: [],
      subject,
      annotations: { a: 'b' },
    })
  })

  test('has the type of its config as artifact type when it has none of its own', () => {
    expect(parse(anImage()).artifactType).toBe(mediaTypes.ociImageConfig)
    expect(parse({ ...anImage(), artifactType: '' }).artifactType).toBe(mediaTypes.ociImageConfig)
  })

  test('may have no layers, written as an empty list or as null', () => {
    expect(parse({ ...anImage(), layers: [] }).layers).toEqual([])
    expect(parse({ ...anImage(), layers: null }).layers).toEqual([])
  })

  test('may be of Docker schema 2', () => {
    const parsed = parse({ ...anImage(), mediaType: mediaTypes.dockerManifest }, mediaTypes.dockerManifest)
    expect(parsed).toMatchObject({ kind: 'image', mediaType: mediaTypes.dockerManifest })
  })

  test('may hold unknown fields, config types and layer types', () => {
    const parsed = parse({
      ...anImage(),
      config: { ...config, mediaType: 'application/vnd.example+json', extra: [{}] },
      layers: [{ ...layer, mediaType: 'text/plain; charset=utf-8' }],
      'org.example': { Layers: 1, deep: [[[]]] },
      signatures: null,
    })
    expect(parsed.layers[0]?.mediaType).toBe('text/plain; charset=utf-8')
    expect(parsed.config).not.toHaveProperty('extra')
  })

  test('may have null for omitted members', () => {
    const parsed = parse({
      ...anImage(),
      subject: null,
      annotations: null,
      artifactType: null,
      mediaType: null,
    })
    expect(parsed).toMatchObject({ subject: undefined, annotations: {}, mediaType: mediaTypes.ociManifest })
  })

  test('may end in white space', () => {
    const bytes = new TextEncoder().encode(`${JSON.stringify(anImage())}  \n`)
    expect(parseManifest(bytes, undefined).kind).toBe('image')
  })
})

describe('an index', () => {
  test('holds manifests as children, indexes among them, and other entries as blobs', () => {
    const nested = aDescriptor('nested', mediaTypes.ociIndex)
    const old = aDescriptor('old', mediaTypes.dockerSchema1)
    const cache = aDescriptor('cache', 'application/vnd.buildkit.cacheconfig.v0')
    const parsed = parse({ ...anIndex(), manifests: [child, layer, nested, cache, old] })
    expect(parsed).toMatchObject({
      kind: 'index',
      mediaType: mediaTypes.ociIndex,
      config: undefined,
      layers: [],
    })
    expect(parsed.children).toEqual([child, nested, old])
    expect(parsed.blobEntries).toEqual([layer, cache])
  })

  test('has an artifact type only if it is given', () => {
    expect(parse(anIndex()).artifactType).toBeUndefined()
    expect(parse({ ...anIndex(), artifactType: 'application/x' }).artifactType).toBe('application/x')
  })

  test('may be empty, have a subject, or be a Docker manifest list', () => {
    const subject = aDescriptor('subject', mediaTypes.ociManifest)
    expect(parse({ ...anIndex(), manifests: [], subject }).subject).toEqual(subject)
    expect(parse({ ...anIndex(), mediaType: mediaTypes.dockerManifestList }).kind).toBe('index')
  })
})

describe('the media type', () => {
  test('of the header counts without its parameters and in any case', () => {
    const contentType = 'Application/vnd.oci.image.manifest.v1+JSON; charset=utf-8'
    expect(parse(withoutType(anImage()), contentType).mediaType).toBe(mediaTypes.ociManifest)
  })

  test('follows from the shape when neither header nor document names it', () => {
    expect(parse(withoutType(anImage())).mediaType).toBe(mediaTypes.ociManifest)
    expect(parse(withoutType(anIndex()), '').mediaType).toBe(mediaTypes.ociIndex)
  })

  test.each([
    [
      'another kind in the header',
      anImage(),
      mediaTypes.ociIndex,
      'mediaType is "application/vnd.oci.image.manifest.v1+json", but the Content-Type is "application/vnd.oci.image.index.v1+json"',
    ],
    ['another family in the header', anImage(), mediaTypes.dockerManifest, 'send the same in both'],
    ['a general type in the header', anImage(), 'application/json', 'send the same in both'],
    [
      'a general type alone',
      withoutType(anImage()),
      'application/json',
      '"application/json", which is not a manifest type; use application/vnd.oci.image.manifest.v1+json,',
    ],
    [
      'a config type',
      { ...anImage(), mediaType: config.mediaType },
      undefined,
      'which is not a manifest type',
    ],
    [
      'an upper-case type in the document',
      { ...anImage(), mediaType: mediaTypes.ociManifest.toUpperCase() },
      mediaTypes.ociManifest,
      'send the same in both',
    ],
    ['an empty type', { ...anImage(), mediaType: '' }, undefined, 'mediaType is empty'],
    [
      'a type that is no string',
      { ...anImage(), mediaType: 7 },
      undefined,
      'mediaType must be a string, not 7',
    ],
    [
      'no type and no shape',
      { schemaVersion: 2 },
      undefined,
      'the document has neither "manifests" (an index) nor "config" and "layers" (an image)',
    ],
  ])('E5: is refused: %s', (...[, document, contentType, message]) => {
    expect(refusal(document, contentType)).toContain(message)
  })

  test.each([
    [
      'an image with manifests',
      { ...anImage(), manifests: [] },
      'manifests does not belong in a manifest of type',
    ],
    ['an image with manifests that are null', { ...anImage(), manifests: null }, 'manifests does not belong'],
    ['an image with fsLayers', { ...anImage(), fsLayers: [] }, 'fsLayers does not belong'],
    ['an index with layers', { ...anIndex(), layers: [layer] }, 'layers does not belong'],
    ['an index with a config', { ...anIndex(), config }, 'config does not belong'],
    ['an index with fsLayers', { ...anIndex(), fsLayers: [] }, 'fsLayers does not belong'],
    ['both without a type', { ...withoutType(anImage()), ...withoutType(anIndex()) }, 'does not belong'],
  ])('E5: does not hide a second manifest: %s', (...[, document, message]) => {
    expect(refusal(document)).toContain(message)
  })
})

describe('a withdrawn type', () => {
  test.each([
    ['by its type', { schemaVersion: 1, mediaType: mediaTypes.dockerSchema1 }, mediaTypes.dockerSchema1],
    ['by the header', { schemaVersion: 1, fsLayers: [], history: [] }, mediaTypes.dockerSchema1Signed],
    ['by its version', { ...withoutType(anImage()), schemaVersion: 1 }, undefined],
    ['by its shape', { fsLayers: [] }, undefined],
  ])('schema 1 is recognized %s and refused with an alternative', (...[, document, contentType]) => {
    expect(refusal(document, contentType)).toContain('convert it with: skopeo copy --format v2s2')
  })

  test('an OCI artifact manifest is refused with an alternative', () => {
    const document = { mediaType: mediaTypes.ociArtifactManifest, artifactType: 'application/x', blobs: [] }
    const message = refusal(document, mediaTypes.ociArtifactManifest)
    expect(message).toContain('push an image manifest with artifactType instead')
  })
})

describe('a document', () => {
  test.each([
    ['nothing', '', 'the document, byte 0: not strict JSON (I-JSON): ends too early'],
    [
      'two names alike',
      '{"schemaVersion":2,"schemaVersion":2}',
      'byte 19: not strict JSON (I-JSON): the name "schemaVersion" occurs twice',
    ],
    ['two names alike deep inside', '{"a":[{"b":{"c":1,"\\u0063":2}}]}', 'a[0].b, byte 18'],
    ['a second document', `${JSON.stringify(anImage())}{}`, 'goes on after its end'],
    ['a list', '[]', 'the document must be a JSON object, not an array'],
    ['null', 'null', 'the document must be a JSON object, not null'],
    ['a byte order mark', '\ufeff{}', 'byte order mark'],
  ])('E5: that holds %s is refused', (...[, text, message]) => {
    expect(() => parseManifest(new TextEncoder().encode(text), undefined)).toThrow(ManifestInvalidError)
    expect(() => parseManifest(new TextEncoder().encode(text), undefined)).toThrow(message)
  })

  test.each(['Layers', 'CONFIG', 'MediaType', 'SchemaVersion', 'manifest\u017f', 'Annotations', 'Subject'])(
    'E5: with the case variant %s is refused',
    (name) => {
      const message = refusal({ ...anImage(), [name]: [] })
      expect(message).toContain('only in case, and some clients treat the two as one')
    },
  )

  test.each([
    [{ schemaVersion: undefined }, 'schemaVersion is missing; add "schemaVersion": 2'],
    [{ schemaVersion: '2' }, 'schemaVersion must be 2, not "2"'],
    [{ schemaVersion: 3 }, 'schemaVersion must be 2, not 3'],
    [{ config: undefined }, 'config is missing, but the image-spec requires it; add it'],
    [{ config: null }, 'config must be a JSON object, not null'],
    [{ layers: undefined }, 'layers is missing, but the image-spec requires it; add it'],
    [{ layers: {} }, 'layers must be an array of descriptors, not an object'],
    [{ layers: [layer, 7] }, 'layers[1] must be a JSON object, not 7'],
    [{ layers: [layer, { ...layer, size: -1 }] }, 'layers[1].size is -1; write a whole number of bytes'],
    [{ subject: 'sha256:x' }, 'subject must be a JSON object'],
    [{ annotations: [] }, 'annotations must be a JSON object, not an array'],
    [{ annotations: { 'a.b': 1 } }, 'annotations["a.b"] must be a string, not 1; quote it'],
    [{ artifactType: 'a\nb' }, String.raw`artifactType is "a\nb"; remove the control characters`],
    [{ artifactType: 'é' }, 'artifactType is "é", which is not a media type'],
    [{ artifactType: 'x'.repeat(256) }, 'artifactType is longer than 255 characters'],
  ])('with %j is refused: %s', (change, message) => {
    expect(refusal({ ...anImage(), ...change }, mediaTypes.ociManifest)).toContain(message)
  })

  test('names path, reason and offset in the detail, all on one line', () => {
    const error = refusalOf({ ...anImage(), layers: [{ ...layer, digest: 'sha256:\n' }] }, undefined)
    expect(error).toMatchObject({ name: 'ManifestInvalidError', code: 'MANIFEST_INVALID' })
    expect(error.detail).toEqual({
      path: 'layers[0].digest',
      reason: String.raw`is "sha256:\n": sha256 needs 64 hexadecimal digits after the colon, this has 1`,
    })
    expect(error.message).toBe(`layers[0].digest ${error.detail.reason}`)
  })
})

describe('size', () => {
  test('A2: ten thousand layers and a 4 MB annotation are read, one layer more is refused', () => {
    const layers = Array.from({ length: 10_000 }, () => layer)
    expect(parse({ ...anImage(), layers }).layers).toHaveLength(10_000)
    const error = refusalOf({ ...anImage(), layers: [...layers, layer] }, undefined)
    expect(error.message).toContain('layers has 10001 entries, more than 10000')
    const annotations = { big: 'x'.repeat(4_000_000) }
    expect(parse({ ...anImage(), annotations }).annotations).toEqual(annotations)
  })

  test('A2: ten thousand layers are read in steps', () => {
    const layers = Array.from({ length: 10_000 }, () => layer)
    const bytes = new TextEncoder().encode(JSON.stringify({ ...anImage(), layers }))
    const steps = readManifest(bytes, undefined)
    let count = 1
    while (steps.next().done !== true) count += 1
    // Some steps for the text, and one for every 500 descriptors.
    expect(count).toBeGreaterThan(25)
  })

  test('A2: ten thousand faults give one short error', () => {
    const layers = Array.from({ length: 10_000 }, () => ({}))
    const error = refusalOf({ ...anImage(), layers }, undefined)
    expect(error.detail.path).toBe('layers[0].digest')
  })
})

function aDescriptor(content: string, mediaType: string) {
  const bytes = new TextEncoder().encode(content)
  return { mediaType, digest: digestBytes(bytes), size: bytes.length }
}

function anImage(): Record<string, unknown> {
  return { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] }
}

function anIndex(): Record<string, unknown> {
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [child] }
}

function withoutType(document: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(document).filter(([name]) => name !== 'mediaType'))
}

function parse(document: unknown, contentType?: string) {
  return parseManifest(new TextEncoder().encode(JSON.stringify(document)), contentType)
}

function refusalOf(document: unknown, contentType: string | undefined): ManifestInvalidError {
  try {
    parse(document, contentType)
  } catch (error) {
    if (error instanceof ManifestInvalidError) return error
    throw error
  }
  throw new Error('expected a ManifestInvalidError')
}

/** The message of the refusal, which must fit one line of `docker push`. */
function refusal(document: unknown, contentType?: string): string {
  const { message } = refusalOf(document, contentType)
  expect(message).not.toContain('\n')
  return message
}
