/**
 * @module
 * Parses a pushed manifest: image or index, OCI or Docker schema 2. Strict where two readers could see two manifests (duplicate
 * names, case variants, a type that contradicts the fields), open where the image-spec is open (unknown fields, config and layer
 * types, artifact types). The registry stores the bytes as they were sent, never the result of parsing. `layers` and `manifests`
 * may be empty or `null`, but one of them must be present to show which kind it is.
 */
import type { Steps } from '../../lib/turns/steps.ts'
import type { Descriptor } from '../descriptor.ts'
import { IJsonError } from '../i-json-error.ts'
import { readIJson } from '../i-json.ts'
import { isIndexMediaType, isManifestMediaType } from '../media-type.ts'
import { createKnownNames, refuseCaseVariants } from './case-variants.ts'
import { fail, findAnnotations, findField, findMediaType, getArray, getField, has } from './fields.ts'
import { locateObject } from './fields.ts'
import type { Located } from './fields.ts'
import { ManifestInvalidError } from './manifest-invalid-error.ts'
import { checkSchemaVersion, mediaTypeOf } from './media-type-of.ts'
import { parseDescriptor } from './parse-descriptor.ts'

export interface ParsedManifest {
  readonly kind: 'image' | 'index'
  /** The stored type, served as `Content-Type`. */
  readonly mediaType: string
  /** The artifact type in referrers descriptors: the manifest's own, else the media type of an image's config. */
  readonly artifactType: string | undefined
  /** Images only. */
  readonly config: Descriptor | undefined
  /** Images only. */
  readonly layers: readonly Descriptor[]
  /** Entries of an index that are manifests. */
  readonly children: readonly Descriptor[]
  /** Entries of an index that are blobs, as in BuildKit's older cache export. */
  readonly blobEntries: readonly Descriptor[]
  readonly subject: Descriptor | undefined
  readonly annotations: Readonly<Record<string, string>>
}

const manifestNames = createKnownNames([
  'schemaVersion',
  'mediaType',
  'artifactType',
  'config',
  'layers',
  'manifests',
  'subject',
  'annotations',
  'fsLayers',
])

const foreignToImages = ['manifests', 'fsLayers']
const foreignToIndexes = ['layers', 'config', 'fsLayers']

/**
 * Reads in steps of a few milliseconds each. Throws nothing but `ManifestInvalidError`, whatever the bytes are. `contentType` is
 * the value of the header; its parameters are ignored.
 */
export function* readManifest(bytes: Uint8Array, contentType: string | undefined): Steps<ParsedManifest> {
  const at = locateObject(yield* readDocument(bytes), [])
  refuseCaseVariants(at, manifestNames)
  const mediaType = mediaTypeOf(at, contentType)
  checkSchemaVersion(at)
  return yield* isIndexMediaType(mediaType) ? readIndex(at, mediaType) : readImage(at, mediaType)
}

/**
 * The most layers of an image or entries of an index. Runtimes support a few hundred; without a bound, one request of 10 MiB
 * could name 90,000 blobs and block all other requests for a second.
 */
const maxDescriptors = 10_000
const descriptorsPerStep = 500

function* readDocument(bytes: Uint8Array): Steps<unknown> {
  try {
    return yield* readIJson(bytes)
  } catch (cause) {
    if (!(cause instanceof IJsonError)) throw cause
    const { reason, path, offset } = cause
    throw new ManifestInvalidError(`not strict JSON (I-JSON): ${reason}`, { path, offset }, { cause })
  }
}

function* readImage(at: Located, mediaType: string): Steps<ParsedManifest> {
  refuseForeignFields(at, { names: foreignToImages, mediaType })
  const config = parseDescriptor(getField(at, 'config'), ['config'])
  return {
    kind: 'image',
    mediaType,
    config,
    layers: yield* readDescriptors(at, 'layers'),
    children: [],
    blobEntries: [],
    ...readCommonFields(at),
    artifactType: readArtifactType(at) ?? config.mediaType,
  }
}

function* readIndex(at: Located, mediaType: string): Steps<ParsedManifest> {
  refuseForeignFields(at, { names: foreignToIndexes, mediaType })
  const entries = yield* readDescriptors(at, 'manifests')
  return {
    kind: 'index',
    mediaType,
    config: undefined,
    layers: [],
    children: entries.filter((entry) => isManifestMediaType(entry.mediaType)),
    blobEntries: entries.filter((entry) => !isManifestMediaType(entry.mediaType)),
    ...readCommonFields(at),
    artifactType: readArtifactType(at),
  }
}

function readCommonFields(at: Located): Pick<ParsedManifest, 'subject' | 'annotations'> {
  const subject = findField(at, 'subject')
  return {
    subject: subject === undefined ? undefined : parseDescriptor(subject, ['subject']),
    annotations: findAnnotations(at) ?? {},
  }
}

/** Treats an empty value as absent: some encoders cannot omit a field. */
function readArtifactType(at: Located): string | undefined {
  return findMediaType(at, 'artifactType') || undefined
}

function* readDescriptors(at: Located, key: string): Steps<Descriptor[]> {
  const values = getArray(at, key)
  if (values.length > maxDescriptors) {
    fail(
      at,
      key,
      `has ${values.length} entries, more than ${maxDescriptors}; split it into several manifests`,
    )
  }
  const descriptors: Descriptor[] = []
  for (const [position, value] of values.entries()) {
    if (position % descriptorsPerStep === descriptorsPerStep - 1) yield
    descriptors.push(parseDescriptor(value, [key, position]))
  }
  return descriptors
}

/** Refuses a document that could be read both as an image and as an index (CVE-2021-41190). */
function refuseForeignFields(at: Located, rule: { names: readonly string[]; mediaType: string }): void {
  const name = rule.names.find((foreign) => has(at, foreign))
  if (name === undefined) return
  fail(at, name, `does not belong in a manifest of type ${rule.mediaType}; remove it or correct the type`)
}
