import { baseMediaType, isImageMediaType, isIndexMediaType, mediaTypes } from '../media-type.ts'
import { quote } from '../quote.ts'
import { describe, fail, findMediaType, has } from './fields.ts'
import type { Located } from './fields.ts'
import { ManifestInvalidError } from './manifest-invalid-error.ts'

const acceptedTypes = [
  mediaTypes.ociManifest,
  mediaTypes.ociIndex,
  mediaTypes.dockerManifest,
  mediaTypes.dockerManifestList,
]

const schema1Types: readonly string[] = [mediaTypes.dockerSchema1, mediaTypes.dockerSchema1Signed]

const schema1Advice =
  'is a Docker image manifest of schema 1, which names its layers insecurely and is no longer accepted; ' +
  'pull the image with Docker 1.10 or newer and push it again, or convert it with: skopeo copy --format v2s2'

const artifactAdvice =
  'is an OCI artifact manifest, which the image-spec withdrew before version 1.1; ' +
  'push an image manifest with artifactType instead (oras 1.1 or newer does so)'

/**
 * Determines the type of a manifest. The type in the document and the `Content-Type` must agree if both are given, so that no
 * client reads the bytes as something else (CVE-2021-41190); if neither is given, the fields decide.
 */
export function mediaTypeOf(at: Located, contentType: string | undefined): string {
  const named = readNamedType(at, contentType)
  if (isSchema1(at, named)) throw new ManifestInvalidError(schema1Advice, { path: at.path })
  if (named === mediaTypes.ociArtifactManifest) {
    throw new ManifestInvalidError(artifactAdvice, { path: at.path })
  }
  const mediaType = named ?? detectType(at)
  if (isImageMediaType(mediaType) || isIndexMediaType(mediaType)) return mediaType
  const reason = `has the media type ${quote(mediaType)}, which is not a manifest type; use ${acceptedTypes.join(', ')}`
  throw new ManifestInvalidError(reason, { path: at.path })
}

/** Throws unless the document declares schema 2. */
export function checkSchemaVersion(at: Located): void {
  const version = at.object['schemaVersion']
  if (version === 2) return
  if (version === undefined) fail(at, 'schemaVersion', 'is missing; add "schemaVersion": 2')
  fail(at, 'schemaVersion', `must be 2, not ${describe(version)}`)
}

function readNamedType(at: Located, contentType: string | undefined): string | undefined {
  const inBody = findMediaType(at, 'mediaType')
  if (inBody === '') fail(at, 'mediaType', 'is empty; name the type of this manifest or leave it out')
  const inHeader = baseMediaType(contentType ?? '') || undefined
  if (inBody !== undefined && inHeader !== undefined && inBody !== inHeader) {
    const reason = `is ${quote(inBody)}, but the Content-Type is ${quote(inHeader)}; send the same in both`
    fail(at, 'mediaType', reason)
  }
  return inBody ?? inHeader
}

function isSchema1(at: Located, named: string | undefined): boolean {
  if (named !== undefined && schema1Types.includes(named)) return true
  if (at.object['schemaVersion'] === 1) return true
  return has(at, 'fsLayers') && !has(at, 'layers') && !has(at, 'manifests')
}

function detectType(at: Located): string {
  if (has(at, 'manifests')) return mediaTypes.ociIndex
  if (has(at, 'config') && has(at, 'layers')) return mediaTypes.ociManifest
  const reason = 'has neither "manifests" (an index) nor "config" and "layers" (an image); push a manifest'
  throw new ManifestInvalidError(reason, { path: at.path })
}
