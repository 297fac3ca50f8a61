/** Fixed content, so that every run sends the same bytes. */
import type { ImageOptions, TestManifest } from '../support/content/manifests.ts'
import { anImageManifest, mediaType } from '../support/content/manifests.ts'
import type { TestBlob } from '../support/content/random.ts'
import { aBlob, digestOf } from '../support/content/random.ts'

/** Returns bytes, 2,000 by default, that differ for each word. */
export function contentOf(word: string, size = 2000): TestBlob {
  return aBlob(word.padEnd(size, `${word}.`).slice(0, size))
}

export function configOf(word: string): TestBlob {
  return aBlob(JSON.stringify({ architecture: 'amd64', os: 'linux', config: { Labels: { word } } }))
}

export function imageOf(word: string, options: Omit<ImageOptions, 'config' | 'layers'> = {}): TestManifest {
  return anImageManifest({ ...options, config: configOf(word), layers: [contentOf(word)] })
}

export const absentDigest = digestOf(Buffer.from('nobody has pushed this'))
export const absentSha512 = digestOf(Buffer.from('nobody has pushed this'), 'sha512')

/**
 * All types that Distribution serves. Without this header, Distribution hides manifests of some types, so all scripts send it
 * except those that test it.
 */
export const acceptAll = {
  Accept: [
    mediaType.ociManifest,
    mediaType.ociIndex,
    mediaType.dockerManifest,
    mediaType.dockerManifestList,
  ].join(', '),
}
