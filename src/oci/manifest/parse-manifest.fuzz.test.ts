import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseManifest } from '../../../test/support/content/read-at-once.ts'
import { digestBytes } from '../digest.ts'
import { mediaTypes } from '../media-type.ts'
import { ManifestInvalidError } from './manifest-invalid-error.ts'

const types = Object.values(mediaTypes)
const contentTypes = fc.option(fc.oneof(fc.constantFrom(...types), fc.string()), { nil: undefined })
const mediaType = fc.oneof(fc.constantFrom(...types), fc.constant('application/x'))
const digest = fc.uint8Array().map((bytes) => digestBytes(bytes))
const descriptor = fc.record(
  {
    mediaType,
    digest,
    size: fc.maxSafeNat(),
    annotations: fc.dictionary(fc.string(), fc.string()),
    platform: fc.record({ architecture: fc.constant('amd64'), os: fc.constantFrom('linux', 'windows') }),
  },
  { requiredKeys: ['mediaType', 'digest', 'size'] },
)
const image = fc.record(
  {
    schemaVersion: fc.constant(2),
    mediaType: fc.constantFrom(mediaTypes.ociManifest, mediaTypes.dockerManifest),
    config: descriptor,
    layers: fc.array(descriptor),
    subject: descriptor,
    annotations: fc.dictionary(fc.string(), fc.string()),
  },
  { requiredKeys: ['schemaVersion', 'config', 'layers'] },
)
const index = fc.record(
  {
    schemaVersion: fc.constant(2),
    mediaType: fc.constantFrom(mediaTypes.ociIndex, mediaTypes.dockerManifestList),
    manifests: fc.array(descriptor),
    subject: descriptor,
  },
  { requiredKeys: ['schemaVersion', 'manifests'] },
)

test('E5: a valid image is read back unchanged', () => {
  fc.assert(
    fc.property(image, (document) => {
      const parsed = parseManifest(encode(document), document.mediaType)
      expect(parsed.mediaType).toBe(document.mediaType ?? mediaTypes.ociManifest)
      expect(parsed.config).toEqual(document.config)
      expect(parsed.layers).toEqual(document.layers)
      expect(parsed.subject).toEqual(document.subject)
      expect(parsed.annotations).toEqual(document.annotations ?? {})
    }),
  )
})

test('E5: every entry of a valid index is a child or a blob, once and in order', () => {
  fc.assert(
    fc.property(index, (document) => {
      const { children, blobEntries, mediaType: type } = parseManifest(encode(document), undefined)
      expect(type).toBe(document.mediaType ?? mediaTypes.ociIndex)
      const isBlob = (entry: { mediaType: string }) =>
        /config|container\.image|empty|application\/x$/.test(entry.mediaType)
      expect(children).toEqual(document.manifests.filter((entry) => !isBlob(entry)))
      expect(blobEntries).toEqual(document.manifests.filter(isBlob))
    }),
  )
})

test('E5: a valid manifest with one value replaced is either read or refused', () => {
  fc.assert(
    fc.property(fc.oneof(image, index), fc.nat(), fc.jsonValue({ maxDepth: 2 }), (document, at, value) => {
      const changed = replaceValue(document, { at, value })
      expect(['read', 'refused']).toContain(attempt(encode(changed), undefined))
    }),
    { numRuns: 1000 },
  )
})

test('E5: a valid manifest with one byte replaced is either read or refused', () => {
  fc.assert(
    fc.property(image, fc.nat(), fc.nat({ max: 255 }), (document, at, byte) => {
      const bytes = encode(document)
      bytes[at % bytes.length] = byte
      expect(['read', 'refused']).toContain(attempt(bytes, undefined))
    }),
    { numRuns: 1000 },
  )
})

test('E5: any JSON and any bytes are either read or refused', () => {
  const documents = fc.oneof(
    fc.uint8Array(),
    fc.json().map((text) => new TextEncoder().encode(text)),
  )
  fc.assert(
    fc.property(documents, contentTypes, (bytes, contentType) => {
      expect(['read', 'refused']).toContain(attempt(bytes, contentType))
    }),
    { numRuns: 1000 },
  )
})

function encode(document: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(document))
}

function attempt(bytes: Uint8Array, contentType: string | undefined): unknown {
  try {
    parseManifest(bytes, contentType)
    return 'read'
  } catch (error) {
    return error instanceof ManifestInvalidError ? 'refused' : error
  }
}

/** Replaces one of the document's values with `value`; `at` counts them in the order of `JSON.stringify`. */
function replaceValue(document: unknown, change: { at: number; value: unknown }): unknown {
  let count = 0
  JSON.stringify(document, (_, value: unknown) => {
    count++
    return value
  })
  let position = 0
  const text = JSON.stringify(document, (_, value: unknown) => {
    return position++ === change.at % count ? change.value : value
  })
  return JSON.parse(text)
}
