/** end-11: using a blob of one repository in another without uploading it again. */
import { describe, expect, test } from 'vitest'
import { expectError, expectStatus } from '../support/http/answers.ts'
import { ask } from '../support/http/client.ts'
import type { Answer } from '../support/http/client.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import { anImageManifest, pushBlob, pushManifest, uploadUrl } from '../support/content/manifests.ts'
import { aBlob, aRandomBlob, aRandomWord } from '../support/content/random.ts'
import type { TestBlob } from '../support/content/random.ts'
import { closeSession } from '../support/uploads/upload-session.ts'

const registry = shareRegistry()

function nameOf(repository: string): string {
  return new URL(repository).pathname.slice('/v2/'.length)
}

async function mount(repository: string, query: string): Promise<Answer> {
  return await ask(`${repository}/blobs/uploads/?${query}`, { method: 'POST' })
}

async function expectMounted(answer: Answer, repository: string, blob: TestBlob): Promise<void> {
  expectStatus(answer, 201)
  expect(answer.headers.location).toBe(`/v2/${nameOf(repository)}/blobs/${blob.digest}`)
  expect(answer.headers['docker-content-digest']).toBe(blob.digest)
  const head = await ask(`${repository}/blobs/${blob.digest}`, { method: 'HEAD' })
  expectStatus(head, 200)
  expect(head.headers['content-length']).toBe(String(blob.size))
  const got = await ask(`${repository}/blobs/${blob.digest}`)
  expect(got.body.equals(blob.bytes)).toBe(true)
}

/** Expects 202 and an upload session that works. */
async function expectUploadStarted(answer: Answer, repository: string): Promise<void> {
  expectStatus(answer, 202)
  expect(answer.headers.location).toBe(
    `/v2/${nameOf(repository)}/blobs/uploads/${String(answer.headers['docker-upload-uuid'])}`,
  )
  expect(answer.headers.range).toBe('0-0')
  const blob = aRandomBlob()
  const session = uploadUrl(repository, answer).href
  expectStatus(await closeSession(session, blob.digest, { body: blob.bytes }), 201)
}

describe('mounting', () => {
  test.each([
    ['a blob', aRandomBlob()],
    ['a sha512 blob', aRandomBlob(1000, 'sha512')],
    ['an empty blob', aBlob('')],
    ['a large blob', aRandomBlob(200_000)],
  ])('end-11: %s from the repository that has it', async (_what, blob) => {
    const [source, target] = [registry.repository(), registry.repository()]
    await pushBlob(source, blob)
    const from = nameOf(source)
    await expectMounted(await mount(target, `mount=${blob.digest}&from=${from}`), target, blob)
    const escaped = `mount=${encodeURIComponent(blob.digest)}&from=${encodeURIComponent(from)}&origin=docker.io`
    const other = registry.repository()
    await expectMounted(await mount(other, escaped), other, blob)
  })

  test.each(['', '&from='])('end-11: without a source ("%s") finds one', async (from) => {
    const target = registry.repository()
    const blob = aRandomBlob()
    await pushBlob(registry.repository(), blob)
    await expectMounted(await mount(target, `mount=${blob.digest}${from}`), target, blob)
  })

  test('end-11: from the repository itself', async () => {
    const repository = registry.repository()
    const blob = aRandomBlob()
    await pushBlob(repository, blob)
    const query = `mount=${blob.digest}&from=${nameOf(repository)}`
    await expectMounted(await mount(repository, query), repository, blob)
    await expectMounted(await mount(repository, `mount=${blob.digest}`), repository, blob)
  })

  test('end-11: keeps the blob when the source deletes it, and the blob counts for a manifest', async () => {
    const [source, target] = [registry.repository(), registry.repository()]
    const image = anImageManifest()
    for (const blob of image.blobs) {
      await pushBlob(source, blob)
      expectStatus(await mount(target, `mount=${blob.digest}&from=${nameOf(source)}`), 201)
      expect((await ask(`${source}/blobs/${blob.digest}`, { method: 'DELETE' })).status).toBe(202)
    }
    await pushManifest(target, image, { reference: 'v1' })
    const layer = image.blobs[1] ?? aBlob('')
    expect((await ask(`${target}/blobs/${layer.digest}`)).body.equals(layer.bytes)).toBe(true)
    expect((await ask(`${source}/blobs/${layer.digest}`)).status).toBe(404)
  })

  test('end-11: succeeds for twenty simultaneous mounts of one blob', async () => {
    const blob = aRandomBlob()
    const target = registry.repository()
    await pushBlob(registry.repository(), blob)
    const answers = await Promise.all(Array.from({ length: 20 }, () => mount(target, `mount=${blob.digest}`)))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201))
  })
})

describe('an upload starts instead of a mount', () => {
  test('end-11: for a blob that does not exist, with and without a source', async () => {
    const [source, target] = [registry.repository(), registry.repository()]
    await pushBlob(source, aRandomBlob())
    const { digest } = aRandomBlob()
    await expectUploadStarted(await mount(target, `mount=${digest}&from=${nameOf(source)}`), target)
    await expectUploadStarted(await mount(target, `mount=${digest}`), target)
    expect((await ask(`${target}/blobs/${digest}`)).status).toBe(404)
  })

  test('end-11: for a source that lacks the blob, although a third repository has it', async () => {
    const [source, third, target] = [registry.repository(), registry.repository(), registry.repository()]
    const blob = aRandomBlob()
    await pushBlob(third, blob)
    await pushBlob(source, aRandomBlob())
    await expectUploadStarted(await mount(target, `mount=${blob.digest}&from=${nameOf(source)}`), target)
    expect((await ask(`${target}/blobs/${blob.digest}`)).status).toBe(404)
  })

  test('B1: for a source that does not exist, has an invalid name, or is a prefix of one that exists', async () => {
    const [source, target] = [registry.repository(), registry.repository()]
    const blob = aRandomBlob()
    await pushBlob(source, blob)
    const names = [
      `${aRandomWord()}/none`,
      'hello',
      '../x',
      'A/B',
      '%00',
      nameOf(source).slice(0, -1),
      '%25/%25',
    ]
    for (const from of names) {
      await expectUploadStarted(await mount(target, `mount=${blob.digest}&from=${from}`), target)
    }
  })

  test('B2: for a blob that its source has deleted', async () => {
    const [source, target] = [registry.repository(), registry.repository()]
    const blob = aRandomBlob()
    await pushBlob(source, blob)
    expect((await ask(`${source}/blobs/${blob.digest}`)).status).toBe(200)
    expect((await ask(`${source}/blobs/${blob.digest}`, { method: 'DELETE' })).status).toBe(202)
    await expectUploadStarted(await mount(target, `mount=${blob.digest}&from=${nameOf(source)}`), target)
    await expectUploadStarted(await mount(target, `mount=${blob.digest}`), target)
  })

  test('end-11: for a manifest', async () => {
    const [source, target] = [registry.repository(), registry.repository()]
    const image = anImageManifest()
    for (const blob of image.blobs) await pushBlob(source, blob)
    await pushManifest(source, image)
    await expectUploadStarted(await mount(target, `mount=${image.digest}&from=${nameOf(source)}`), target)
  })

  test('end-11: for the sha512 of a blob pushed by sha256', async () => {
    const [source, target] = [registry.repository(), registry.repository()]
    const blob = aRandomBlob(100, 'sha512')
    await pushBlob(source, blob)
    const { digest } = aBlob(blob.bytes, 'sha256')
    await expectUploadStarted(await mount(target, `mount=${digest}&from=${nameOf(source)}`), target)
  })
})

describe('a mount with an invalid digest', () => {
  test.each(['sha256:abc', 'latest', '', `blake3:${'a'.repeat(64)}`])(
    'end-11: mount=%s is refused with 400 DIGEST_INVALID',
    async (digest) => {
      const answer = await mount(registry.repository(), `mount=${digest}`)
      expectError(answer, { status: 400, code: 'DIGEST_INVALID', naming: [/digest/] })
    },
  )
})
