import { describe, expect, test } from 'vitest'
import { formatPlatform } from './descriptor.ts'
import { baseMediaType, isForeignLayer, isImageMediaType, isIndexMediaType } from './media-type.ts'
import { isManifestMediaType, mediaTypes } from './media-type.ts'

describe('media types', () => {
  test.each([
    ['application/vnd.oci.image.index.v1+json', 'application/vnd.oci.image.index.v1+json'],
    ['Application/JSON; charset=utf-8', 'application/json'],
    [' text/html ;a=";"', 'text/html'],
    ['', ''],
    [';', ''],
  ])('baseMediaType reads %j as %j', (header, expected) => {
    expect(baseMediaType(header)).toBe(expected)
  })

  test('images, indexes and withdrawn types are manifests, configs and layers are not', () => {
    expect(isImageMediaType(mediaTypes.dockerManifest)).toBe(true)
    expect(isImageMediaType(mediaTypes.ociIndex)).toBe(false)
    expect(isIndexMediaType(mediaTypes.dockerManifestList)).toBe(true)
    expect(isIndexMediaType(mediaTypes.ociManifest)).toBe(false)
    expect(isManifestMediaType(mediaTypes.ociManifest)).toBe(true)
    expect(isManifestMediaType(mediaTypes.dockerSchema1)).toBe(true)
    expect(isManifestMediaType(mediaTypes.ociArtifactManifest)).toBe(true)
    expect(isManifestMediaType(mediaTypes.ociImageConfig)).toBe(false)
  })

  test('foreign layers are recognized in both families', () => {
    expect(isForeignLayer('application/vnd.docker.image.rootfs.foreign.diff.tar.gzip')).toBe(true)
    expect(isForeignLayer('application/vnd.oci.image.layer.nondistributable.v1.tar+zstd')).toBe(true)
    expect(isForeignLayer('application/vnd.oci.image.layer.v1.tar+gzip')).toBe(false)
  })

  test('a platform has the format of clients', () => {
    expect(formatPlatform({ os: 'linux', architecture: 'arm64', variant: 'v8' })).toBe('linux/arm64/v8')
    expect(formatPlatform({ os: 'linux', architecture: 'amd64', variant: '' })).toBe('linux/amd64')
  })
})
