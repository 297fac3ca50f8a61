/** end-2: pulling complete blobs. Another file has the tests of ranges. */
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { expectError, expectStatus } from '../support/http/answers.ts'
import { ask, openResponse } from '../support/http/client.ts'
import type { Answer } from '../support/http/client.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import { anImageManifest, pushBlob, pushImage } from '../support/content/manifests.ts'
import { aBlob, aRandomBlob, digestOf } from '../support/content/random.ts'
import type { TestBlob } from '../support/content/random.ts'

const kibibyte = 1024

function expectBlobHeaders(answer: Answer, blob: TestBlob): void {
  expectStatus(answer, 200)
  const { headers } = answer
  expect(headers['docker-content-digest']).toBe(blob.digest)
  expect(headers['content-length']).toBe(String(blob.size))
  expect(headers['content-type']).toBe('application/octet-stream')
  expect(headers['x-content-type-options']).toBe('nosniff')
  expect(headers['etag']).toBe(`"${blob.digest}"`)
  expect(headers['accept-ranges']).toBe('bytes')
  expect(headers['transfer-encoding']).toBeUndefined()
}

describe.each(['filesystem', 'memory'] as const)('blobs in the %s store', (driver) => {
  const registry = shareRegistry({ storage: { driver } })

  test.each([
    ['an empty blob', aBlob('')],
    ['{}', aBlob('{}')],
    ['a small blob', aRandomBlob(1000)],
    ['64 KiB', aRandomBlob(64 * kibibyte)],
    ['64 KiB and a byte', aRandomBlob(64 * kibibyte + 1)],
    ['3 MB', aRandomBlob(3_000_001)],
    ['a sha512 blob', aRandomBlob(100_000, 'sha512')],
  ])('end-2: GET and HEAD of %s', async (_what, blob) => {
    const repository = registry.repository()
    await pushBlob(repository, blob)
    // Twice: the second answer may come from a cache.
    for (let time = 0; time < 2; time += 1) {
      const got = await ask(`${repository}/blobs/${blob.digest}`)
      expectBlobHeaders(got, blob)
      expect(got.body.equals(blob.bytes)).toBe(true)
      const head = await ask(`${repository}/blobs/${blob.digest}`, { method: 'HEAD' })
      expectBlobHeaders(head, blob)
      expect(head.body).toHaveLength(0)
    }
  })

  test.each(['', 'bytes=0-1000000,1500000-2500000'])(
    'end-2: a reader that disconnects in the middle (Range: %s) causes no error',
    async (range) => {
      const repository = registry.repository()
      const blob = aRandomBlob(3_000_000)
      await pushBlob(repository, blob)
      const url = `${repository}/blobs/${blob.digest}`
      for (let time = 0; time < 5; time += 1) {
        const response = await openResponse(url, range === '' ? {} : { headers: { range } })
        await once(response, 'readable')
        response.destroy()
      }
      expect((await ask(url)).body.equals(blob.bytes)).toBe(true)
    },
  )

  test('end-2: many readers of one blob each get all of it', async () => {
    const repository = registry.repository()
    const blob = aRandomBlob(500_000)
    await pushBlob(repository, blob)
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ask(`${repository}/blobs/${blob.digest}`)),
    )
    expect(answers.map(({ body }) => body.equals(blob.bytes))).toEqual(answers.map(() => true))
  })
})

describe('blobs', () => {
  const registry = shareRegistry()

  test('end-2: answers 404 BLOB_UNKNOWN with the digest and advice', async () => {
    const repository = registry.repository()
    await pushBlob(repository, aRandomBlob())
    const { digest } = aRandomBlob()
    const wanted = { status: 404, code: 'BLOB_UNKNOWN', naming: [digest, /push or mount/] }
    expectError(await ask(`${repository}/blobs/${digest}`), wanted)
    expectError(await ask(`${registry.repository()}/blobs/${digest}`), wanted)
    const head = await ask(`${repository}/blobs/${digest}`, { method: 'HEAD' })
    expect(head.status).toBe(404)
  })

  test('B2: a blob is visible only in the repositories that link it', async () => {
    const [one, two, other] = [registry.repository(), registry.repository(), registry.repository()]
    const blob = aRandomBlob()
    await pushBlob(one, blob)
    await pushBlob(two, blob)
    await pushBlob(other, aRandomBlob())
    const path = `blobs/${blob.digest}`
    for (const method of ['GET', 'HEAD', 'GET']) {
      expect((await ask(`${one}/${path}`, { method })).status).toBe(200)
      expect((await ask(`${other}/${path}`, { method })).status).toBe(404)
    }
  })

  test('B2: a deleted blob disappears at once here and stays in the other repository', async () => {
    const [one, two] = [registry.repository(), registry.repository()]
    const blob = aRandomBlob()
    await pushBlob(one, blob)
    await pushBlob(two, blob)
    const path = `blobs/${blob.digest}`
    expect((await ask(`${one}/${path}`)).status).toBe(200)
    expect((await ask(`${one}/${path}`, { method: 'DELETE' })).status).toBe(202)
    expect((await ask(`${one}/${path}`, { method: 'HEAD' })).status).toBe(404)
    expect((await ask(`${one}/${path}`)).status).toBe(404)
    const kept = await ask(`${two}/${path}`)
    expect(kept.body.equals(blob.bytes)).toBe(true)
    expect((await ask(`${one}/${path}`)).status).toBe(404)
  })

  test('end-2: sha256 and sha512 of one content are two blobs', async () => {
    const repository = registry.repository()
    const blob = aRandomBlob(100, 'sha512')
    await pushBlob(repository, blob)
    expect((await ask(`${repository}/blobs/${digestOf(blob.bytes, 'sha256')}`)).status).toBe(404)
  })

  test('end-2: a manifest is not served as a blob', async () => {
    const repository = registry.repository()
    const image = anImageManifest()
    await pushImage(repository, image)
    expectError(await ask(`${repository}/blobs/${image.digest}`), { status: 404, code: 'BLOB_UNKNOWN' })
  })

  test('end-2: a manifest that was also pushed as a blob is served as both', async () => {
    const repository = registry.repository()
    const image = anImageManifest()
    await pushImage(repository, image)
    await pushBlob(repository, image)
    expectBlobHeaders(await ask(`${repository}/blobs/${image.digest}`), image)
    const manifest = await ask(`${repository}/manifests/${image.digest}`)
    expect(manifest.headers['content-type']).toBe(image.mediaType)
  })

  test.each(['"{digest}"', '{digest}', 'W/"{digest}"', '"other", "{digest}"', '*'])(
    'end-2: If-None-Match: %s answers 304 without a body',
    async (pattern) => {
      const repository = registry.repository()
      const blob = aRandomBlob()
      await pushBlob(repository, blob)
      const headers = { 'if-none-match': pattern.replace('{digest}', blob.digest) }
      for (const method of ['GET', 'HEAD']) {
        const answer = await ask(`${repository}/blobs/${blob.digest}`, { method, headers })
        expect(answer.status).toBe(304)
        expect(answer.headers['etag']).toBe(`"${blob.digest}"`)
        expect(answer.headers['docker-content-digest']).toBe(blob.digest)
        expect(answer.headers['cache-control']).toContain('immutable')
        expect(answer.headers['accept-ranges']).toBeUndefined()
        expect(answer.headers['content-disposition']).toBeUndefined()
        expect(answer.body).toHaveLength(0)
      }
    },
  )

  test('end-2: If-None-Match of another digest answers the blob', async () => {
    const repository = registry.repository()
    const blob = aRandomBlob()
    await pushBlob(repository, blob)
    const headers = { 'if-none-match': `"${aRandomBlob().digest}"` }
    expectBlobHeaders(await ask(`${repository}/blobs/${blob.digest}`, { headers }), blob)
  })

  test.each([
    ['"{digest}"', 200],
    ['*', 200],
    ['W/"{digest}"', 412],
    ['"other"', 412],
  ])('end-2: If-Match: %s answers %i', async (pattern, status) => {
    const repository = registry.repository()
    const blob = aRandomBlob()
    await pushBlob(repository, blob)
    const headers = { 'if-match': pattern.replace('{digest}', blob.digest) }
    const url = `${repository}/blobs/${blob.digest}`
    const answer = await ask(url, { headers })
    expect(answer.status).toBe(status)
    expect((await ask(url, { method: 'HEAD', headers })).status).toBe(status)
    if (status === 412) expectError(answer, { status, code: 'DENIED', naming: [blob.digest, 'If-Match'] })
    else expectBlobHeaders(answer, blob)
  })

  test('E1: an HTML page pushed as a blob is served as a download', async () => {
    const repository = registry.repository()
    const page = aBlob('<!doctype html><script>alert(1)</script>')
    await pushBlob(repository, page, { headers: { 'content-type': 'text/html' } })
    const answer = await ask(`${repository}/blobs/${page.digest}`, { headers: { accept: 'text/html' } })
    expectBlobHeaders(answer, page)
    expect(answer.headers['content-security-policy']).toContain('sandbox')
    expect(answer.headers['content-disposition']).toBe('attachment')
  })

  test.each(['gzip', 'gzip, deflate, br', 'identity', 'zstd;q=1'])(
    'end-2: Accept-Encoding: %s changes nothing',
    async (encoding) => {
      const repository = registry.repository()
      const blob = aBlob('a'.repeat(10_000))
      await pushBlob(repository, blob)
      const answer = await ask(`${repository}/blobs/${blob.digest}`, {
        headers: { 'accept-encoding': encoding },
      })
      expectBlobHeaders(answer, blob)
      expect(answer.headers['content-encoding']).toBeUndefined()
      expect(answer.body.equals(blob.bytes)).toBe(true)
    },
  )

  test('end-2: an unknown query is ignored', async () => {
    const repository = registry.repository()
    const blob = aRandomBlob()
    await pushBlob(repository, blob)
    expectBlobHeaders(await ask(`${repository}/blobs/${blob.digest}?ns=docker.io&x=%ff`), blob)
  })
})
