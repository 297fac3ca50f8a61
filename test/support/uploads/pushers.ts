/**
 * @module Clients that push without a pause, each into its own repository, and keep a ledger of the changes that the registry
 * acknowledged: blobs in every way that the protocol has, images, indexes, moved tags, deletions. All clients share some layers,
 * so that equal uploads meet.
 */
import http from 'node:http'

import { blobPushes, expectStatus, RefusedError } from './blob-pushes.ts'
import type { Answer, Ask } from '../http/client.ts'
import { ask } from '../http/client.ts'
import { eventually } from '../eventually.ts'
import type { Ledger } from './ledger.ts'
import type { TestManifest } from '../content/manifests.ts'
import { anImageIndex, anImageManifest } from '../content/manifests.ts'
import type { TestBlob } from '../content/random.ts'
import { aBlob } from '../content/random.ts'
import type { SeededRandom } from '../content/seeded-random.ts'

export interface PusherOptions {
  readonly url: string
  readonly ledger: Ledger
  readonly random: SeededRandom
  readonly pushers: number
  /** The first component of the repository names; one per round keeps the ledgers of the rounds apart. */
  readonly owner: string
}

export interface Pushers extends AsyncDisposable {
  /**
   * After this call a failed request ends its pusher without an error, because the registry is being killed; before it a failed
   * request is an error. A refused request is always an error.
   */
  expectLoss(): void
  /** Resolves when every pusher has ended; rejects with the first error. */
  readonly done: Promise<void>
  /** Resolves when the registry has acknowledged this many changes; rejects with the first error. */
  acknowledged(changes: number): Promise<void>
}

/** Starts the pushers; they end after `expectLoss` when the registry is dead. */
export function startPushers(options: PusherOptions): Pushers {
  const { random, pushers } = options
  const agent = new http.Agent({ keepAlive: true, maxSockets: pushers })
  const stop = new AbortController()
  const shared = Array.from({ length: 6 }, () => aBlob(random.bytes(random.integer(1_000, 200_000))))
  const all = Array.from({ length: pushers }, (_, index) =>
    new Pusher(options, { agent, shared, random: random.fork(), name: `p${index}` }).run(stop.signal),
  )
  const done = Promise.all(all).then(() => agent.destroy())
  done.catch(() => undefined)
  return {
    done,
    expectLoss: () => stop.abort(),
    async acknowledged(changes) {
      const enough = eventually(
        () => options.ledger.acknowledged,
        (count) => count >= changes || stop.signal.aborted,
        60_000,
      )
      await Promise.race([enough, done])
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      agent.destroy()
      await done.catch(() => undefined)
    },
  }
}

interface PusherSelf {
  readonly agent: http.Agent
  readonly shared: readonly TestBlob[]
  readonly random: SeededRandom
  readonly name: string
}

class Pusher {
  readonly #ledger: Ledger
  readonly #url: string
  readonly #base: string
  readonly #self: PusherSelf
  /** The manifest of each tag, as far as this pusher knows. */
  readonly #tags = new Map<string, TestManifest>()

  constructor({ ledger, url, owner }: PusherOptions, self: PusherSelf) {
    this.#ledger = ledger
    this.#url = url
    this.#base = `/v2/${owner}/${self.name}`
    this.#self = self
  }

  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) await this.#act()
    } catch (error) {
      if (error instanceof RefusedError || !signal.aborted) throw error
    }
  }

  async #act(): Promise<void> {
    const { random } = this.#self
    const known = [...this.#tags.keys()]
    if (known.length > 3 && random.chance(0.1)) return await this.#deleteTag(random.pick(known))
    if (known.length > 3 && random.chance(0.1)) return await this.#deleteManifest(random.pick(known))
    const manifest = random.chance(0.2) ? await this.#pushIndex() : await this.#pushImage()
    await this.#pushTag(manifest, `t${random.integer(0, 9)}`)
  }

  async #pushImage(): Promise<TestManifest> {
    const { random, shared } = this.#self
    const config = aBlob(
      JSON.stringify({ architecture: 'amd64', os: 'linux', id: random.integer(0, 2 ** 31) }),
    )
    const own = aBlob(
      random.bytes(random.chance(0.1) ? random.integer(1_000_000, 3_000_000) : random.integer(1, 90_000)),
    )
    const layers = random.chance(0.5) ? [own, random.pick(shared)] : [own]
    const image = anImageManifest({ config, layers })
    for (const blob of image.blobs) await this.#pushBlob(blob)
    return image
  }

  async #pushIndex(): Promise<TestManifest> {
    const children = [await this.#pushImage(), await this.#pushImage()]
    for (const child of children) await this.#pushByDigest(child)
    return anImageIndex({ manifests: children })
  }

  async #pushBlob(blob: TestBlob): Promise<void> {
    const path = `${this.#base}/blobs/${blob.digest}`
    const { agent, random } = this.#self
    this.#ledger.offer(path, blob.digest)
    const push = random.pick(blobPushes)
    expectStatus(await push({ repositoryUrl: `${this.#url}${this.#base}`, agent }, blob), 201)
    this.#ledger.settle(path, blob.digest)
  }

  async #pushByDigest(manifest: TestManifest): Promise<void> {
    const path = `${this.#base}/manifests/${manifest.digest}`
    this.#ledger.offer(path, manifest.digest)
    expectStatus(await this.#putManifest(manifest, manifest.digest), 201)
    this.#ledger.settle(path, manifest.digest)
  }

  async #pushTag(manifest: TestManifest, tag: string): Promise<void> {
    const paths = [manifest.digest, tag].map((reference) => `${this.#base}/manifests/${reference}`)
    for (const path of paths) this.#ledger.offer(path, manifest.digest)
    expectStatus(await this.#putManifest(manifest, tag), 201)
    for (const path of paths) this.#ledger.settle(path, manifest.digest)
    this.#tags.set(tag, manifest)
  }

  async #putManifest(manifest: TestManifest, reference: string): Promise<Answer> {
    const headers = { 'content-type': manifest.mediaType }
    return await this.#ask(`${this.#base}/manifests/${reference}`, {
      method: 'PUT',
      headers,
      body: manifest.bytes,
    })
  }

  async #deleteTag(tag: string): Promise<void> {
    await this.#delete(tag, [tag])
  }

  /** Deletes a manifest and, with it, its tags. */
  async #deleteManifest(tag: string): Promise<void> {
    const digest = this.#tags.get(tag)?.digest ?? ''
    const tags = [...this.#tags].filter(([, manifest]) => manifest.digest === digest).map(([name]) => name)
    await this.#delete(digest, [digest, ...tags])
  }

  async #delete(reference: string, references: readonly string[]): Promise<void> {
    const paths = references.map((gone) => `${this.#base}/manifests/${gone}`)
    for (const path of paths) this.#ledger.offer(path, undefined)
    expectStatus(await this.#ask(`${this.#base}/manifests/${reference}`, { method: 'DELETE' }), 202)
    for (const path of paths) this.#ledger.settle(path, undefined)
    for (const gone of references) this.#tags.delete(gone)
  }

  async #ask(path: string, options: Ask): Promise<Answer> {
    return await ask(`${this.#url}${path}`, { ...options, agent: this.#self.agent })
  }
}
