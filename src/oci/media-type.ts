/** Media types that this registry knows by name; it passes on all others without interpreting them. */
export const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociImageConfig: 'application/vnd.oci.image.config.v1+json',
  ociEmpty: 'application/vnd.oci.empty.v1+json',
  ociArtifactManifest: 'application/vnd.oci.artifact.manifest.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerSchema1: 'application/vnd.docker.distribution.manifest.v1+json',
  dockerSchema1Signed: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
  dockerImageConfig: 'application/vnd.docker.container.image.v1+json',
  helmConfig: 'application/vnd.cncf.helm.config.v1+json',
} as const

const imageTypes: ReadonlySet<string> = new Set([mediaTypes.ociManifest, mediaTypes.dockerManifest])
const indexTypes: ReadonlySet<string> = new Set([mediaTypes.ociIndex, mediaTypes.dockerManifestList])
const historicTypes: ReadonlySet<string> = new Set([
  mediaTypes.dockerSchema1,
  mediaTypes.dockerSchema1Signed,
  mediaTypes.ociArtifactManifest,
])
const foreignLayerTypes: ReadonlySet<string> = new Set([
  'application/vnd.docker.image.rootfs.foreign.diff.tar',
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  'application/vnd.oci.image.layer.nondistributable.v1.tar',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
])

/** The image manifests that this registry accepts. */
export function isImageMediaType(mediaType: string): boolean {
  return imageTypes.has(mediaType)
}

/** Image indexes and Docker manifest lists. */
export function isIndexMediaType(mediaType: string): boolean {
  return indexTypes.has(mediaType)
}

/** Whether content of this type is a manifest, not a blob. True for historic types too: an index may name them, but a push is refused. */
export function isManifestMediaType(mediaType: string): boolean {
  return imageTypes.has(mediaType) || indexTypes.has(mediaType) || historicTypes.has(mediaType)
}

/** Layers that clients fetch from elsewhere (`urls`) and that need not exist here. */
export function isForeignLayer(mediaType: string): boolean {
  return foreignLayerTypes.has(mediaType)
}

/** The type of a `Content-Type` value without its parameters, in lower case (RFC 9110, 8.3.1). */
export function baseMediaType(headerValue: string): string {
  const semicolon = headerValue.indexOf(';')
  return (semicolon === -1 ? headerValue : headerValue.slice(0, semicolon)).trim().toLowerCase()
}
