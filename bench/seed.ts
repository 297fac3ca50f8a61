/**
 * @module Fills a registry with the content that the scenarios read: one repository with 1,000 tags on 1,000 different manifests
 * of one 8.7 KiB layer, 200 referrers of the first, a set of small blobs larger than a cache, and one large blob. The small
 * content depends on a fixed seed, so a registry that already has it is left unchanged.
 */
import http from 'node:http'

import { ask } from '../test/support/http/client.ts'
import type { TestManifest } from '../test/support/content/manifests.ts'
import {
  anArtifact,
  anImageManifest,
  mediaType,
  pushBlob,
  pushManifest,
} from '../test/support/content/manifests.ts'
import type { TestBlob } from '../test/support/content/random.ts'
import { aBlob } from '../test/support/content/random.ts'
import { seededBytes } from './content.ts'
import { inParallel } from './load/in-parallel.ts'
import { freshContent, putLargeBlob } from './load/transfer.ts'
import type { SeededTarget, Target } from './target.ts'
import { repositoryUrl, seedRepository } from './target.ts'

const tagCount = 1_000
const referrerCount = 200
const layerBytes = 8_909
const smallBlobCount = 2_000
const smallBlobBytes = 60_000
const parallelPushes = 8

export interface SeedOptions {
  readonly largeBytes: number
  /** Whether to push the working set of the wide blob scenario: 2,000 blobs of 60 kB. */
  readonly smallBlobs: boolean
}

export async function seed(target: Target, options: SeedOptions): Promise<SeededTarget> {
  using cleanup = new DisposableStack()
  const agent = cleanup.adopt(new http.Agent({ keepAlive: true, maxSockets: parallelPushes }), (one) =>
    one.destroy(),
  )
  const url = repositoryUrl(target, seedRepository)
  const images = Array.from({ length: tagCount }, (_, index) => seedImage(index))
  const [first] = images
  const layer = first?.blobs[1]
  if (first === undefined || layer === undefined) throw new Error('the seed has no image')
  for (const blob of first.blobs) await pushMissingBlob(url, blob, agent)
  await inParallel(images, parallelPushes, async (image, { index }) => {
    await pushMissingManifest(url, image, { reference: `t${index}`, agent })
  })
  const hasReferrers = await seedReferrers(url, first, agent)
  const smallBlobs = options.smallBlobs ? await seedSmallBlobs(url, agent) : []
  return {
    ...target,
    hasReferrers,
    tags: images.map((_, index) => `t${index}`),
    manifestDigest: first.digest,
    layerDigest: layer.digest,
    smallBlobDigests: smallBlobs.map((blob) => blob.digest),
    large: await seedLargeBlob(url, options.largeBytes),
  }
}

function seedImage(index: number): TestManifest {
  return anImageManifest({
    config: aBlob(
      JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } }),
    ),
    layers: [aBlob(seededBytes('layer', layerBytes))],
    annotations: { 'org.opencontainers.image.version': String(index) },
  })
}

/** Pushes referrers. Returns false without a push when the registry has no referrers API. */
async function seedReferrers(url: string, subject: TestManifest, agent: http.Agent): Promise<boolean> {
  const listUrl = `${url}/referrers/${subject.digest}`
  const list = await ask(listUrl, { agent })
  if (list.status !== 200) return false
  const artifacts = Array.from({ length: referrerCount }, (_, index) =>
    anArtifact({
      subject: subject.descriptor,
      artifactType: 'application/vnd.example.bench',
      blob: aBlob('bench'),
      annotations: { 'org.opencontainers.image.created': '2026-01-01T00:00:00Z', index: String(index) },
    }),
  )
  for (const blob of artifacts[0]?.blobs ?? []) await pushMissingBlob(url, blob, agent)
  await inParallel(artifacts, parallelPushes, async (artifact) => {
    await pushMissingManifest(url, artifact, { reference: artifact.digest, agent })
  })
  return true
}

async function seedSmallBlobs(url: string, agent: http.Agent): Promise<readonly TestBlob[]> {
  const blobs = Array.from({ length: smallBlobCount }, (_, index) =>
    aBlob(seededBytes(`small ${index}`, smallBlobBytes)),
  )
  await inParallel(blobs, parallelPushes, async (blob) => {
    await pushMissingBlob(url, blob, agent)
  })
  return blobs
}

async function seedLargeBlob(url: string, sizeBytes: number): Promise<SeededTarget['large']> {
  const content = freshContent(sizeBytes)
  await putLargeBlob(url, content)
  return { digest: content.digest, sizeBytes }
}

async function pushMissingBlob(url: string, blob: TestBlob, agent: http.Agent): Promise<void> {
  const known = await ask(`${url}/blobs/${blob.digest}`, { method: 'HEAD', agent })
  if (known.status !== 200) await pushBlob(url, blob, { agent })
}

async function pushMissingManifest(
  url: string,
  manifest: TestManifest,
  options: { readonly reference: string; readonly agent: http.Agent },
): Promise<void> {
  const { reference, agent } = options
  const headers = { accept: mediaType.ociManifest }
  const known = await ask(`${url}/manifests/${reference}`, { method: 'HEAD', headers, agent })
  if (known.headers['docker-content-digest'] === manifest.digest) return
  await pushManifest(url, manifest, { reference, agent })
}
