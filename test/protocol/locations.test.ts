/** The URLs in replies: a path, or an absolute URL if the registry's address is configured. */
import { describe, expect, test } from 'vitest'
import { expectStatus } from '../support/http/answers.ts'
import { ask } from '../support/http/client.ts'
import type { Answer, Ask } from '../support/http/client.ts'
import { anImageManifest, pushManifest } from '../support/content/manifests.ts'
import { openServer } from '../support/parts/open-server.ts'
import type { OpenServer } from '../support/parts/open-server.ts'
import { aRandomBlob } from '../support/content/random.ts'

async function send(url: string, status: number, options?: Ask): Promise<Answer> {
  const answer = await ask(url, options)
  expectStatus(answer, status)
  return answer
}

/** Collects one `Location` of each kind, in the order of a push. */
async function collectLocations({ url }: OpenServer): Promise<(string | undefined)[]> {
  const uploads = `${url}/v2/a/b/blobs/uploads/`
  const started = await send(uploads, 202, { method: 'POST' })
  const id = started.headers['docker-upload-uuid']
  const session = `${uploads}${String(id)}`
  const patched = await send(session, 202, { method: 'PATCH', body: 'bytes' })
  const chunk = { 'content-range': '7-9' }
  const refused = await send(session, 416, { method: 'PATCH', body: 'xyz', headers: chunk })
  const { bytes, digest } = aRandomBlob()
  const stored = await send(`${uploads}?digest=${digest}`, 201, { method: 'POST', body: bytes })
  const mount = `${url}/v2/c/d/blobs/uploads/?mount=${digest}&from=a/b`
  const mounted = await send(mount, 201, { method: 'POST' })
  const image = anImageManifest()
  for (const blob of image.blobs)
    await send(`${uploads}?digest=${blob.digest}`, 201, { method: 'POST', body: blob.bytes })
  const tagged = await pushManifest(`${url}/v2/a/b`, image)
  return [started, patched, refused, stored, mounted, tagged].map(({ headers }) =>
    headers.location
      ?.replace(String(id), '<id>')
      .replace(digest, '<digest>')
      .replace(image.digest, '<manifest>'),
  )
}

const paths = [
  '/v2/a/b/blobs/uploads/<id>',
  '/v2/a/b/blobs/uploads/<id>',
  '/v2/a/b/blobs/uploads/<id>',
  '/v2/a/b/blobs/<digest>',
  '/v2/c/d/blobs/<digest>',
  '/v2/a/b/manifests/<manifest>',
]

describe('Location', () => {
  test('is a path if no address is configured', async () => {
    await using server = await openServer()
    expect(await collectLocations(server)).toEqual(paths)
  })

  test.each(['https://registry.test', 'https://registry.test:8443/'])(
    'is an absolute URL if the address is %s',
    async (publicUrl) => {
      await using server = await openServer({ publicUrl })
      const base = publicUrl.replace(/\/$/, '')
      expect(await collectLocations(server)).toEqual(paths.map((path) => `${base}${path}`))
    },
  )
})

describe('an upload without the final slash', () => {
  test('end-4a, end-4b: starts and is stored like one with it', async () => {
    await using server = await openServer()
    const uploads = `${server.url}/v2/a/b/blobs/uploads`
    const started = await send(uploads, 202, { method: 'POST' })
    expect(started.headers.location).toMatch(/^\/v2\/a\/b\/blobs\/uploads\/[^/]+$/)
    const { bytes, digest } = aRandomBlob()
    await send(`${uploads}?digest=${digest}`, 201, { method: 'POST', body: bytes })
    await send(`${server.url}/v2/a/b/blobs/${digest}`, 200)
    const { headers } = await send(uploads, 405)
    expect(headers.allow).toBe('POST')
  })
})
