/**
 * end-7a, end-7b, end-9 with `If-Match` and `If-None-Match` (RFC 9110, 13.1), which keep writers from overwriting each other's
 * changes.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { expectError, expectStatus } from '../support/http/answers.ts'
import { ask } from '../support/http/client.ts'
import type { Answer } from '../support/http/client.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import { anImageManifest, pushImage, pushManifest } from '../support/content/manifests.ts'
import type { TestManifest } from '../support/content/manifests.ts'
import { aBlob, aRandomBlob, aRandomWord } from '../support/content/random.ts'

const registry = shareRegistry({ storage: { driver: 'memory' } })
const config = aBlob('{}')

/** Makes an image that differs from others only in an annotation, so that the blobs are pushed once. */
function anImage(): TestManifest {
  return anImageManifest({ layers: 0, config, annotations: { word: aRandomWord() } })
}

let repository = ''
const [image, next] = [anImage(), anImage()]
beforeAll(async () => {
  repository = registry.repository()
  await pushImage(repository, image)
})

async function tagged(manifest: TestManifest = image): Promise<string> {
  const tag = aRandomWord()
  await pushManifest(repository, manifest, { reference: tag })
  return tag
}

async function put(tag: string, manifest: TestManifest, headers: Record<string, string>): Promise<Answer> {
  return await ask(`${repository}/manifests/${tag}`, {
    method: 'PUT',
    body: manifest.bytes,
    headers: { 'content-type': manifest.mediaType, ...headers },
  })
}

async function expectTag(tag: string, manifest: TestManifest | undefined): Promise<void> {
  const answer = await ask(`${repository}/manifests/${tag}`, { method: 'HEAD' })
  expect(answer.headers['docker-content-digest']).toBe(manifest?.digest)
}

function expectFailed(answer: Answer, tag: string, current: TestManifest | undefined): void {
  const state = current === undefined ? 'does not exist' : current.digest
  expectError(answer, { status: 412, code: 'DENIED', naming: [tag, state, /read it again|retry/] })
}

describe('If-Match on a push', () => {
  test.each([['"{digest}"'], ['{digest}'], ['"sha256:other", "{digest}"'], ['*']])(
    'end-7a: %s moves the tag',
    async (pattern) => {
      const tag = await tagged()
      expectStatus(await put(tag, next, { 'if-match': pattern.replace('{digest}', image.digest) }), 201)
      await expectTag(tag, next)
    },
  )

  test.each([['"{other}"'], ['W/"{digest}"'], ['"{digest}x"'], ['']])(
    'end-7a: %s does not',
    async (pattern) => {
      const tag = await tagged()
      const condition = pattern.replace('{digest}', image.digest).replace('{other}', aRandomBlob().digest)
      expectFailed(await put(tag, next, { 'if-match': condition }), tag, image)
      await expectTag(tag, image)
    },
  )

  test.each(['"{digest}"', '*'])('end-7a: %s does not make a tag', async (pattern) => {
    const tag = aRandomWord()
    expectFailed(
      await put(tag, next, { 'if-match': pattern.replace('{digest}', image.digest) }),
      tag,
      undefined,
    )
    await expectTag(tag, undefined)
  })

  test('end-7a: exactly one of twenty writers with the same condition moves the tag', async () => {
    const tag = await tagged()
    const images = Array.from({ length: 20 }, anImage)
    const answers = await Promise.all(
      images.map((each) => put(tag, each, { 'if-match': `"${image.digest}"` })),
    )
    const winners = images.filter((_each, index) => answers[index]?.status === 201)
    expect(winners).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(19)
    await expectTag(tag, winners[0])
  })

  test('end-7a: writers that read, change and retry lose nothing', async () => {
    const tag = await tagged()
    const changes = Array.from({ length: 8 }, async (_each, index) => {
      for (;;) {
        const read = await ask(`${repository}/manifests/${tag}`)
        const document = read.json() as { annotations: Record<string, string> }
        const annotations = { ...document.annotations, [`change${index}`]: 'done' }
        const changed = anImageManifest({ layers: 0, config, annotations })
        const answer = await put(tag, changed, { 'if-match': String(read.headers['etag']) })
        if (answer.status === 201) return
        expect(answer.status).toBe(412)
      }
    })
    await Promise.all(changes)
    const { annotations } = (await ask(`${repository}/manifests/${tag}`)).json() as { annotations: object }
    expect(Object.keys(annotations).filter((name) => name.startsWith('change'))).toHaveLength(8)
  })
})

describe('If-None-Match on a push', () => {
  test('end-7a: * creates a tag and never moves one', async () => {
    const tag = aRandomWord()
    expectStatus(await put(tag, image, { 'if-none-match': '*' }), 201)
    expectFailed(await put(tag, next, { 'if-none-match': '*' }), tag, image)
    expectFailed(await put(tag, image, { 'if-none-match': '*' }), tag, image)
    await expectTag(tag, image)
  })

  test('end-7a: exactly one of twenty writers creates a new tag', async () => {
    const tag = aRandomWord()
    const images = Array.from({ length: 20 }, anImage)
    const answers = await Promise.all(images.map((each) => put(tag, each, { 'if-none-match': '*' })))
    const winners = images.filter((_each, index) => answers[index]?.status === 201)
    expect(winners).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(19)
    await expectTag(tag, winners[0])
  })

  test('end-7a: a digest refuses the push if the tag already points at it', async () => {
    const tag = await tagged()
    expectFailed(await put(tag, next, { 'if-none-match': `"${image.digest}"` }), tag, image)
    expectStatus(await put(tag, next, { 'if-none-match': `"${next.digest}"` }), 201)
  })

  test('end-7a: together with If-Match both must hold', async () => {
    const tag = await tagged()
    expectFailed(await put(tag, next, { 'if-none-match': '*', 'if-match': '*' }), tag, image)
    const other = `"${next.digest}"`
    expectFailed(await put(tag, next, { 'if-none-match': other, 'if-match': other }), tag, image)
    const current = `"${image.digest}"`
    expectStatus(await put(tag, next, { 'if-none-match': other, 'if-match': current }), 201)
    await expectTag(tag, next)
  })
})

describe('a condition on a push by digest with tags', () => {
  test('end-7b: must be true for all tags, or none of them moves', async () => {
    const [taken, fresh] = [await tagged(), aRandomWord()]
    const other = anImage()
    const refused = await put(`${other.digest}?tag=${fresh}&tag=${taken}`, other, { 'if-none-match': '*' })
    expectFailed(refused, taken, image)
    await expectTag(fresh, undefined)
    await expectTag(taken, image)
    expect((await ask(`${repository}/manifests/${other.digest}`)).status).toBe(404)
    const answer = await put(`${other.digest}?tag=${fresh}&tag=${fresh}2`, other, { 'if-none-match': '*' })
    expectStatus(answer, 201)
    await expectTag(`${fresh}2`, other)
  })
})

describe('a condition on a delete', () => {
  async function remove(tag: string, headers: Record<string, string>): Promise<Answer> {
    return await ask(`${repository}/manifests/${tag}`, { method: 'DELETE', headers })
  }

  test('end-9: If-Match of the current digest deletes the tag, of another one does not', async () => {
    const tag = await tagged()
    expectFailed(await remove(tag, { 'if-match': `"${next.digest}"` }), tag, image)
    await expectTag(tag, image)
    expectStatus(await remove(tag, { 'if-match': `"${image.digest}"` }), 202)
    await expectTag(tag, undefined)
  })

  test('end-9: If-Match: * on a tag that does not exist is refused', async () => {
    const tag = aRandomWord()
    expectFailed(await remove(tag, { 'if-match': '*' }), tag, undefined)
  })

  test('end-9, end-7a: of a delete and a move under one condition, one succeeds', async () => {
    for (let time = 0; time < 5; time += 1) {
      const tag = await tagged()
      const condition = { 'if-match': `"${image.digest}"` }
      const [moved, removed] = await Promise.all([put(tag, next, condition), remove(tag, condition)])
      expect([moved.status, removed.status].sort((a, b) => a - b)).toEqual(
        moved.status === 201 ? [201, 412] : [202, 412],
      )
      await expectTag(tag, moved.status === 201 ? next : undefined)
    }
  })
})
