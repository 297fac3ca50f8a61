/**
 * @module Builds an OCI image layout in a folder, without tools or network: real tar layers of random content, configs with
 * correct diff ids, one image per platform and an index over them. The command-line clients push these layouts.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

import { anImageIndex, anImageManifest } from './manifests.ts'
import type { TestManifest } from './manifests.ts'
import type { TestBlob } from './random.ts'
import { aBlob } from './random.ts'
import { tarOf } from './tar.ts'
import type { TempFolder } from '../processes/temp-folder.ts'
import { tempFolder } from '../processes/temp-folder.ts'

export interface LayoutOptions {
  /** Platforms as `os/architecture[/variant]`. Two or more, or `index: true`, make an index. */
  readonly platforms?: readonly string[]
  readonly index?: boolean
  readonly layers?: number
  readonly layerBytes?: number
  /** `org.opencontainers.image.ref.name` in index.json: the name after the colon of `oci:<path>:<tag>`. */
  readonly tag?: string
}

export interface OciLayout extends TempFolder {
  /** The tagged manifest: the index, or the only image. */
  readonly manifest: TestManifest
  readonly images: readonly TestManifest[]
}

/** Builds a layout. Every call makes new layers, so that no client can skip their upload because it remembers them. */
export async function anOciLayout(options: LayoutOptions = {}): Promise<OciLayout> {
  const { platforms = ['linux/amd64', 'linux/arm64/v8'], tag = 'v1' } = options
  const images = platforms.map((platform) => anImage(platform, options))
  const asIndex = options.index ?? images.length > 1
  const [first] = images
  const manifest = asIndex || first === undefined ? anImageIndex({ manifests: images }) : first
  const folder = await tempFolder('oci-layout')
  await writeLayout(folder.path, { manifest, tag })
  return { ...folder, manifest, images }
}

function anImage(platform: string, options: LayoutOptions): TestManifest {
  const { layers: count = 2, layerBytes = 100_000 } = options
  const [os = 'linux', architecture = 'amd64', variant] = platform.split('/')
  const tars = Array.from({ length: count }, (_, index) => aLayer(index, layerBytes))
  const layers = tars.map((tar) => aBlob(gzipSync(tar, { level: 1 })))
  return anImageManifest({ layers, config: aConfig({ os, architecture, variant, tars }) })
}

function aLayer(index: number, sizeBytes: number): Buffer {
  return tarOf([{ path: `data/file-${index}`, bytes: randomBytes(sizeBytes) }])
}

interface ConfigParts {
  readonly os: string
  readonly architecture: string
  readonly variant: string | undefined
  readonly tars: readonly Buffer[]
}

function aConfig({ os, architecture, variant, tars }: ConfigParts): TestBlob {
  const created = '2026-01-01T00:00:00Z'
  return aBlob(
    JSON.stringify({
      created,
      architecture,
      os,
      ...(variant === undefined ? {} : { variant }),
      config: { Entrypoint: ['/hello'], Labels: { 'org.example.arch': architecture } },
      rootfs: {
        type: 'layers',
        diff_ids: tars.map((tar) => `sha256:${createHash('sha256').update(tar).digest('hex')}`),
      },
      history: tars.map((_, index) => ({ created, created_by: `layer ${index}` })),
    }),
  )
}

async function writeLayout(
  path: string,
  { manifest, tag }: { readonly manifest: TestManifest; readonly tag: string },
): Promise<void> {
  const blobs = join(path, 'blobs/sha256')
  await mkdir(blobs, { recursive: true })
  for (const blob of contentOf(manifest)) {
    await writeFile(join(blobs, blob.digest.replace('sha256:', '')), blob.bytes)
  }
  const annotations = { 'org.opencontainers.image.ref.name': tag }
  await writeFile(join(path, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  await writeFile(
    join(path, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest.descriptor, annotations }] }),
  )
}

function contentOf(manifest: TestManifest): readonly TestBlob[] {
  return [manifest, ...manifest.blobs, ...manifest.children.flatMap(contentOf)]
}
