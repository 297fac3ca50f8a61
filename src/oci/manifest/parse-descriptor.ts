import { digestBytes, algorithmOf, isSupportedDigest, parseDigest, DigestInvalidError } from '../digest.ts'
import type { Digest } from '../digest.ts'
import type { Descriptor, Platform } from '../descriptor.ts'
import type { JsonPath } from '../json-path.ts'
import { quote } from '../quote.ts'
import { createKnownNames, refuseCaseVariants } from './case-variants.ts'
import { describe, fail, findAnnotations, findField, findMediaType, findShortText } from './fields.ts'
import { findString, findStrings, getField, locateObject } from './fields.ts'
import type { Located } from './fields.ts'
import { ManifestInvalidError } from './manifest-invalid-error.ts'

const descriptorNames = createKnownNames([
  'mediaType',
  'digest',
  'size',
  'urls',
  'annotations',
  'data',
  'artifactType',
  'platform',
])
const platformNames = createKnownNames(['architecture', 'os', 'os.version', 'os.features', 'variant'])

/** Checks one descriptor (image-spec, descriptor); unknown fields are left out. Throws `ManifestInvalidError`. */
export function parseDescriptor(value: unknown, path: JsonPath): Descriptor {
  const at = locateObject(value, path)
  refuseCaseVariants(at, descriptorNames)
  const digest = readDigest(at)
  const size = readSize(at)
  return {
    mediaType: readMediaType(at),
    digest,
    size,
    ...optionalMember('artifactType', findMediaType(at, 'artifactType') || undefined),
    ...optionalMember('annotations', findAnnotations(at)),
    ...optionalMember('platform', readPlatform(at)),
    ...optionalMember('urls', findStrings(at, 'urls')),
    ...optionalMember('data', readData(at, { digest, size })),
  }
}

function readMediaType(at: Located): string {
  getField(at, 'mediaType')
  const mediaType = findMediaType(at, 'mediaType')
  return mediaType || fail(at, 'mediaType', 'is empty; name the type of the content it points at')
}

function readDigest(at: Located): Digest {
  const value = getField(at, 'digest')
  if (typeof value !== 'string') return fail(at, 'digest', `must be a string, not ${describe(value)}`)
  try {
    return parseDigest(value)
  } catch (cause) {
    if (!(cause instanceof DigestInvalidError)) throw cause
    const reason = `is ${quote(value)}: ${cause.detail.reason}`
    throw new ManifestInvalidError(reason, { path: [...at.path, 'digest'] }, { cause })
  }
}

function readSize(at: Located): number {
  const value = getField(at, 'size')
  // `-0` is also a JSON number; stored sizes have no sign.
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return Math.abs(value)
  return fail(
    at,
    'size',
    `is ${describe(value)}; write a whole number of bytes from 0 to ${Number.MAX_SAFE_INTEGER}`,
  )
}

/** Checks that embedded content matches its descriptor (image-spec, embedded content). */
function readData(at: Located, content: { digest: Digest; size: number }): string | undefined {
  const data = findString(at, 'data')
  if (data === undefined) return undefined
  const bytes = Buffer.from(data, 'base64')
  if (bytes.toString('base64') !== data) {
    return fail(at, 'data', 'must be base64 (RFC 4648, section 4, with padding)')
  }
  if (bytes.length !== content.size) {
    return fail(at, 'data', `holds ${bytes.length} bytes, but size is ${content.size}; correct one of them`)
  }
  const { digest } = content
  if (isSupportedDigest(digest) && digestBytes(bytes, algorithmOf(digest)) !== digest) {
    return fail(at, 'data', `is not the content that digest ${digest} names; correct one of them`)
  }
  return data
}

/** A platform with neither system nor architecture is how some tools write "none". */
function readPlatform(at: Located): Platform | undefined {
  const value = findField(at, 'platform')
  if (value === undefined) return undefined
  const platform = locateObject(value, [...at.path, 'platform'])
  refuseCaseVariants(platform, platformNames)
  getField(platform, 'architecture')
  getField(platform, 'os')
  const architecture = findShortText(platform, 'architecture') ?? ''
  const os = findShortText(platform, 'os') ?? ''
  const version = findShortText(platform, 'os.version')
  const features = findStrings(platform, 'os.features')
  const variant = findShortText(platform, 'variant')
  if (architecture === '' && os === '') return undefined
  return {
    architecture,
    os,
    ...optionalMember('os.version', version),
    ...optionalMember('os.features', features),
    ...optionalMember('variant', variant),
  }
}

function optionalMember<K extends string, T>(name: K, value: T | undefined): { [P in K]?: T } {
  if (value === undefined) return {}
  return { [name]: value } as { [P in K]: T }
}
