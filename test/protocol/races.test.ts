/** Simultaneous requests: in any order of execution, the responses match each other and the final state. */
import { describe, expect, test } from 'vitest'
import { ask } from '../support/http/client.ts'
import type { Answer } from '../support/http/client.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import {
  aDescriptor,
  anImageManifest,
  mediaType,
  pushBlob,
  pushImage,
  pushManifest,
} from '../support/content/manifests.ts'
import type { TestManifest } from '../support/content/manifests.ts'
import { aBlob, aRandomBlob, digestOf } from '../support/content/random.ts'
import type { TestBlob } from '../support/content/random.ts'

const registry = shareRegistry()
const rounds = 10

function anImage(blob: TestBlob): TestManifest {
  return anImageManifest({ layers: [], config: blob })
}

async function put(repository: string, manifest: TestManifest, reference: string): Promise<Answer> {
  const headers = { 'content-type': manifest.mediaType }
  return await ask(`${repository}/manifests/${reference}`, { method: 'PUT', body: manifest.bytes, headers })
}

async function post(repository: string, blob: TestBlob): Promise<Answer> {
  const url = `${repository}/blobs/uploads/?digest=${blob.digest}`
  return await ask(url, { method: 'POST', body: blob.bytes })
}

async function remove(url: string): Promise<Answer> {
  return await ask(url, { method: 'DELETE' })
}

async function statusOf(url: string): Promise<number> {
  return (await ask(url)).status
}

function statusesOf(answers: readonly Answer[]): number[] {
  return answers.map(({ status }) => status)
}

describe('simultaneous requests', () => {
  test('end-4b: thirty first blobs of a new repository', async () => {
    const repository = registry.repository()
    const blobs = Array.from({ length: 30 }, () => aRandomBlob(100))
    const answers = await Promise.all(blobs.map((blob) => post(repository, blob)))
    expect(statusesOf(answers)).toEqual(blobs.map(() => 201))
    const found = await Promise.all(blobs.map(({ digest }) => statusOf(`${repository}/blobs/${digest}`)))
    expect(found).toEqual(blobs.map(() => 200))
  })

  test('end-4b: one blob into thirty repositories, and out of half of them', async () => {
    const blob = aRandomBlob(100_000)
    const repositories = Array.from({ length: 30 }, () => registry.repository())
    const answers = await Promise.all(repositories.map((repository) => post(repository, blob)))
    expect(statusesOf(answers)).toEqual(repositories.map(() => 201))
    const urls = repositories.map((repository) => `${repository}/blobs/${blob.digest}`)
    await Promise.all(urls.slice(0, 15).map(remove))
    const got = await Promise.all(urls.map((url) => ask(url)))
    expect(statusesOf(got)).toEqual(urls.map((_url, index) => (index < 15 ? 404 : 200)))
    expect(got.slice(15).every(({ body }) => body.equals(blob.bytes))).toBe(true)
  })

  test('end-7a: one manifest by fifty tags and by digest', async () => {
    const repository = registry.repository()
    const image = anImage(aRandomBlob(10))
    await pushBlob(repository, image.blobs[0]!)
    const tags = Array.from({ length: 50 }, (_, index) => `v${index}`)
    const answers = await Promise.all(
      [...tags, image.digest].map((reference) => put(repository, image, reference)),
    )
    expect(statusesOf(answers)).toEqual(answers.map(() => 201))
    const list = (await ask(`${repository}/tags/list`)).json() as { tags: string[] }
    expect(list.tags).toEqual(tags.sort())
  })

  test('end-3, end-7a: pulls of a moving tag get one complete manifest or the other', async () => {
    const repository = registry.repository()
    const images = [anImage(aRandomBlob(10)), anImage(aRandomBlob(10))] as const
    for (const image of images) await pushImage(repository, image, { reference: 'v1' })
    const moves = Array.from({ length: 20 }, (_, index) =>
      put(repository, images[index % 2 === 0 ? 0 : 1], 'v1'),
    )
    const pulls = await Promise.all(Array.from({ length: 40 }, () => ask(`${repository}/manifests/v1`)))
    expect(statusesOf(await Promise.all(moves))).toEqual(moves.map(() => 201))
    for (const { status, headers, body } of pulls) {
      expect(status).toBe(200)
      expect(headers['docker-content-digest']).toBe(digestOf(body))
    }
  })
})

describe('a simultaneous push and delete', () => {
  test('F2, end-7a, end-10: of a manifest and its blob: one is refused', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const repository = registry.repository()
      const [blob] = anImage(aRandomBlob(10)).blobs as [TestBlob]
      const image = anImage(blob)
      await pushBlob(repository, blob)
      const [pushed, deleted] = await Promise.all([
        put(repository, image, 'v1'),
        remove(`${repository}/blobs/${blob.digest}`),
      ])
      expect([
        [201, 405],
        [400, 202],
      ]).toContainEqual([pushed.status, deleted.status])
      expect(await statusOf(`${repository}/blobs/${blob.digest}`)).toBe(pushed.status === 201 ? 200 : 404)
      expect(await statusOf(`${repository}/manifests/v1`)).toBe(pushed.status === 201 ? 200 : 404)
    }
  })

  test('F2, end-7a, end-9: of a manifest: its tag and its digest agree afterwards', async () => {
    const repository = registry.repository()
    const image = anImage(aRandomBlob(10))
    await pushImage(repository, image)
    for (let round = 0; round < rounds; round += 1) {
      const answers = await Promise.all([
        put(repository, image, 'v1'),
        remove(`${repository}/manifests/${image.digest}`),
        put(repository, image, image.digest),
      ])
      expect(statusesOf(answers)).toEqual([201, expect.toBeOneOf([202, 404]) as number, 201])
      const [byTag, byDigest] = [
        await statusOf(`${repository}/manifests/v1`),
        await statusOf(`${repository}/manifests/${image.digest}`),
      ]
      expect([
        [200, 200],
        [404, 200],
        [404, 404],
      ]).toContainEqual([byTag, byDigest])
    }
  })

  test('F2, end-11, end-10: of a blob: the mounted blob stays complete', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const [source, target] = [registry.repository(), registry.repository()]
      const blob = aRandomBlob(100_000)
      await pushBlob(source, blob)
      const from = new URL(source).pathname.slice('/v2/'.length)
      const query = `?mount=${blob.digest}&from=${from}`
      const [mounted, deleted] = await Promise.all([
        ask(`${target}/blobs/uploads/${query}`, { method: 'POST' }),
        remove(`${source}/blobs/${blob.digest}`),
      ])
      expect(deleted.status).toBe(202)
      const got = await ask(`${target}/blobs/${blob.digest}`)
      expect([mounted.status, got.status, got.body.equals(blob.bytes)]).toEqual(
        mounted.status === 201 ? [201, 200, true] : [202, 404, false],
      )
    }
  })

  test('F1, end-4b, end-10: of one blob: it is complete or absent', async () => {
    const repository = registry.repository()
    const blob = aRandomBlob(100_000)
    for (let round = 0; round < rounds; round += 1) {
      const answers = await Promise.all([
        post(repository, blob),
        remove(`${repository}/blobs/${blob.digest}`),
        post(repository, blob),
      ])
      expect(statusesOf(answers)).toEqual([201, expect.toBeOneOf([202, 404]) as number, 201])
      const got = await ask(`${repository}/blobs/${blob.digest}`)
      expect([
        [200, true],
        [404, false],
      ]).toContainEqual([got.status, got.body.equals(blob.bytes)])
    }
  })

  test('end-12a, end-9: of referrers: the list matches the content', async () => {
    const repository = registry.repository()
    const config = aBlob('{}')
    await pushBlob(repository, config)
    const subject = aDescriptor(aRandomBlob(), mediaType.ociManifest)
    const referrers = Array.from({ length: 20 }, (_, index) => {
      return anImageManifest({ layers: 0, config, subject, annotations: { index: String(index) } })
    })
    for (const referrer of referrers.slice(0, 10)) await pushManifest(repository, referrer)
    await Promise.all([
      ...referrers.slice(0, 10).map(({ digest }) => remove(`${repository}/manifests/${digest}`)),
      ...referrers.slice(10).map((referrer) => put(repository, referrer, referrer.digest)),
    ])
    const answer = (await ask(`${repository}/referrers/${subject.digest}`)).json() as {
      manifests: { digest: string }[]
    }
    expect(answer.manifests.map(({ digest }) => digest).sort()).toEqual(
      referrers
        .slice(10)
        .map(({ digest }) => digest)
        .sort(),
    )
  })
})
