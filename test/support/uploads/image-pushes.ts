/**
 * @module Clients that push new images without a pause and record the images that the registry acknowledged, all of which a
 * backup that begins later must hold. All images share some layers.
 */
import http from 'node:http'

import { expectStatus, pushAtOnce } from './blob-pushes.ts'
import { ask } from '../http/client.ts'
import { eventually } from '../eventually.ts'
import { anImageManifest } from '../content/manifests.ts'
import type { TestBlob } from '../content/random.ts'
import { aRandomBlob, digestOf } from '../content/random.ts'

export interface PushedImage {
  /** `/v2/<repository>` */
  readonly base: string
  readonly tag: string
  readonly manifest: string
  readonly blobs: readonly string[]
}

export interface ImagePushes extends AsyncDisposable {
  /** The acknowledged images, in the order of their acknowledgements; grows while the clients push. */
  readonly acknowledged: readonly PushedImage[]
  /** Resolves when this many images are acknowledged; rejects with the first error. */
  reached(images: number): Promise<void>
  /** Lets each client finish its current push. Rejects with the first error. */
  stop(): Promise<void>
}

export interface ImagePushOptions {
  /** The URL of the registry, without a slash at the end. */
  readonly url: string
  readonly clients?: number
  /** The first component of the repository names. */
  readonly owner?: string
  /** The size of the layer that only this image has. */
  readonly layerBytes?: number
}

export function startImagePushes(options: ImagePushOptions): ImagePushes {
  const { url, clients = 3, owner = 'acme', layerBytes = 20_000 } = options
  const agent = new http.Agent({ keepAlive: true, maxSockets: clients })
  const acknowledged: PushedImage[] = []
  const shared = [aRandomBlob(5_000), aRandomBlob(70_000)]
  const stopping = new AbortController()
  const run = async (client: number): Promise<void> => {
    for (let count = 0; !stopping.signal.aborted; count += 1) {
      const base = `/v2/${owner}/client${client}`
      const layers = [aRandomBlob(layerBytes), ...shared]
      acknowledged.push(await pushOne({ url, agent, base, tag: `t${count}` }, layers))
    }
  }
  const done = Promise.all(Array.from({ length: clients }, (_, client) => run(client)))
  done.catch(() => undefined)
  const stop = async (): Promise<void> => {
    stopping.abort()
    await done
  }
  return {
    acknowledged,
    stop,
    async reached(images) {
      const enough = eventually(
        () => acknowledged.length,
        (length) => length >= images,
        60_000,
      )
      await Promise.race([enough, done])
    },
    async [Symbol.asyncDispose]() {
      await stop().catch(() => undefined)
      agent.destroy()
    },
  }
}

interface PushTarget {
  readonly url: string
  readonly agent: http.Agent
  readonly base: string
  readonly tag: string
}

async function pushOne(
  { url, agent, base, tag }: PushTarget,
  layers: readonly TestBlob[],
): Promise<PushedImage> {
  const config = aRandomBlob(300)
  for (const blob of [config, ...layers]) {
    expectStatus(await pushAtOnce({ repositoryUrl: `${url}${base}`, agent }, blob), 201)
  }
  const image = anImageManifest({ config, layers })
  const headers = { 'content-type': image.mediaType }
  const path = `${url}${base}/manifests/${tag}`
  expectStatus(await ask(path, { method: 'PUT', headers, body: image.bytes, agent }), 201)
  return { base, tag, manifest: image.digest, blobs: [config, ...layers].map(({ digest }) => digest) }
}

/** Pulls each image by tag and by digest, and its blobs. Returns every fault as a sentence. */
export async function findLostImages(
  url: string,
  images: readonly PushedImage[],
): Promise<readonly string[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 })
  const lost: string[] = []
  const check = async (path: string, digest: string): Promise<void> => {
    const answer = await ask(`${url}${path}`, { agent })
    if (answer.status !== 200) lost.push(`${path} answers ${answer.status}`)
    else if (digestOf(answer.body) !== digest) lost.push(`${path} has other bytes`)
  }
  try {
    for (const { base, tag, manifest, blobs } of images) {
      await check(`${base}/manifests/${tag}`, manifest)
      await check(`${base}/manifests/${manifest}`, manifest)
      for (const digest of blobs) await check(`${base}/blobs/${digest}`, digest)
    }
    return lost
  } finally {
    agent.destroy()
  }
}
