/**
 * @module Images as OCI layouts, one per folder, for real clients to push: five layers of 64 KiB to 1 MiB, new on every call, so
 * that no client and no registry knows any of them. The sizes depend only on a fixed seed: every call makes the same number of
 * bytes.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { constants, gzipSync } from 'node:zlib'

import type { TestManifest } from '../../test/support/content/manifests.ts'
import { anImageManifest } from '../../test/support/content/manifests.ts'
import type { TestBlob } from '../../test/support/content/random.ts'
import { aBlob, aRandomBlob, digestOf } from '../../test/support/content/random.ts'
import type { SeededRandom } from '../../test/support/content/seeded-random.ts'
import { createRandom } from '../../test/support/content/seeded-random.ts'
import { tarOf } from '../../test/support/content/tar.ts'

/** The number of tags per repository. */
const tagsPerRepository = 5
/** The number of bases; every other repository builds upon one of them, as images of one distribution do. */
const baseCount = 10
const baseLayers = 2
const layersPerImage = 5
const minLayerBytes = 64 * 1024
/** Layer sizes are spread evenly over the powers of two up to 1 MiB, so that most layers are small. */
const layerOctaves = 4
const sizeSeed = 500

export interface BenchImage {
  /** The repository, without the owner. */
  readonly repository: string
  readonly tag: string
  readonly layout: string
  readonly manifestDigest: string
  /** The digests of the manifest, its config and its layers: `sha256:...`. */
  readonly digests: readonly string[]
  readonly sizeBytes: number
}

interface Layer {
  readonly blob: TestBlob
  /** The digest of the uncompressed tar, which the config of an image names. */
  readonly diffId: string
}

/** Writes this many layouts below the folder. */
export async function writeImages(folder: string, count: number): Promise<readonly BenchImage[]> {
  const random = createRandom(sizeSeed)
  const bases = Array.from({ length: baseCount }, () => someLayers(random, baseLayers))
  const images: BenchImage[] = []
  const repositories = Math.ceil(count / tagsPerRepository)
  for (let index = 0; index < count; index += 1) {
    const repository = index % repositories
    const base = repository % 2 === 0 ? (bases[(repository / 2) % baseCount] ?? []) : []
    const layers = [...base, ...someLayers(random, layersPerImage - base.length)]
    const tag = `v${Math.floor(index / repositories)}`
    const layout = join(folder, `image-${index}`)
    images.push(await writeLayout(layout, { repository: `app-${repository}`, tag, layers }))
  }
  return images
}

/** Returns the path of the content with this digest in a layout. */
export function blobPath(layout: string, digest: string): string {
  return join(layout, 'blobs', digest.replace(':', '/'))
}

function someLayers(random: SeededRandom, count: number): readonly Layer[] {
  return Array.from({ length: count }, () => {
    const octave = random.integer(0, layerOctaves * 1000) / 1000
    const { bytes } = aRandomBlob(Math.round(minLayerBytes * 2 ** octave))
    const tar = tarOf([{ path: 'data', bytes }])
    // Clients compress layers without a gzip header; random content does not shrink, so it is stored.
    return { blob: aBlob(gzipSync(tar, { level: constants.Z_NO_COMPRESSION })), diffId: digestOf(tar) }
  })
}

interface ImageParts {
  readonly repository: string
  readonly tag: string
  readonly layers: readonly Layer[]
}

async function writeLayout(layout: string, { repository, tag, layers }: ImageParts): Promise<BenchImage> {
  const image = anImageManifest({ layers: layers.map(({ blob }) => blob), config: configOf(layers, tag) })
  const blobs = [image, ...image.blobs]
  await mkdir(join(layout, 'blobs/sha256'), { recursive: true })
  for (const { digest, bytes } of blobs) await writeFile(blobPath(layout, digest), bytes)
  await writeFile(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  await writeFile(join(layout, 'index.json'), JSON.stringify(indexOf(image, tag)))
  return {
    repository,
    tag,
    layout,
    manifestDigest: image.digest,
    digests: blobs.map(({ digest }) => digest),
    sizeBytes: blobs.reduce((sum, { size }) => sum + size, 0),
  }
}

function configOf(layers: readonly Layer[], tag: string): TestBlob {
  const created = '2026-01-01T00:00:00Z'
  return aBlob(
    JSON.stringify({
      created,
      architecture: 'amd64',
      os: 'linux',
      config: { Entrypoint: ['/hello'], Labels: { 'org.opencontainers.image.version': tag } },
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      history: layers.map((_, index) => ({ created, created_by: `layer ${index}` })),
    }),
  )
}

function indexOf(image: TestManifest, tag: string): object {
  const annotations = { 'org.opencontainers.image.ref.name': tag }
  return { schemaVersion: 2, manifests: [{ ...image.descriptor, annotations }] }
}
