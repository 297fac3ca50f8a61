/** The order of the checks of a request: each request here has two faults, and the response is about the first. */
import { beforeAll, describe, expect, test } from 'vitest'
import { expectError } from '../support/http/answers.ts'
import { ask } from '../support/http/client.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import { anImageManifest, pushBlob, pushImage } from '../support/content/manifests.ts'
import { aRandomBlob } from '../support/content/random.ts'

const registry = shareRegistry({ storage: { driver: 'memory' } })
const absent = `sha256:${'a'.repeat(64)}`
let repository = ''

beforeAll(async () => {
  repository = registry.repository()
  await pushBlob(repository, aRandomBlob())
})

async function startSession(): Promise<string> {
  const { headers } = await ask(`${repository}/blobs/uploads/`, { method: 'POST' })
  return `${registry.url}${String(headers.location)}`
}

describe('a chunk', () => {
  test.each([
    ['a malformed range before an unknown session', 'unknown', '9-1', 400, 'BLOB_UPLOAD_INVALID'],
    ['an unknown session before the order', 'unknown', '1-10', 404, 'BLOB_UPLOAD_UNKNOWN'],
    ['the order before the length', 'fresh', '1-10', 416, 'RANGE_INVALID'],
    ['the length', 'fresh', '0-9', 400, 'SIZE_INVALID'],
  ] as const)('%s', async (_, session, range, status, code) => {
    const fresh = await startSession()
    const url = session === 'fresh' ? fresh : `${repository}/blobs/uploads/unknown`
    for (const [method, query] of [
      ['PATCH', ''],
      ['PUT', `?digest=${absent}`],
    ] as const) {
      const headers = { 'content-range': range }
      const answer = await ask(`${url}${query}`, { method, headers, body: 'x'.repeat(32) })
      expectError(answer, { status, code })
    }
    // No byte was stored, and the session is still open.
    expect((await ask(fresh)).headers.range).toBe('0-0')
  })

  test.each([
    ['', 'DIGEST_INVALID'],
    ['?digest=sha256:x', 'DIGEST_INVALID'],
  ])('of a closing PUT: the digest %j before the range', async (query, code) => {
    const headers = { 'content-range': '9-1' }
    const answer = await ask(`${await startSession()}${query}`, { method: 'PUT', headers, body: 'x' })
    expectError(answer, { status: 400, code })
  })
})

describe('a push of a manifest', () => {
  const { bytes, mediaType: type } = anImageManifest()
  const tooLarge = '{'.repeat(11_000_000)
  const failing = { 'if-match': `"${absent}"` }

  test.each([
    ['the name before the size', '/v2/A/b/manifests/v1', { body: tooLarge }, '400 NAME_INVALID'],
    ['the size before the content', '{repository}/v1', { body: tooLarge }, '413 SIZE_INVALID'],
    ['the digest before the content', `{repository}/${absent}`, { body: '{' }, '400 DIGEST_INVALID'],
    ['the content before If-Match', '{repository}/v1', { body: '{', ...failing }, '400 MANIFEST_INVALID'],
    ['If-Match before what it names', '{repository}/v1', { body: bytes, ...failing }, '412 DENIED'],
    ['what it names', '{repository}/v1', { body: bytes }, '400 MANIFEST_BLOB_UNKNOWN'],
  ])('%s', async (_, pattern, { body, ...headers }, expected) => {
    const path = pattern.replace('{repository}', `${new URL(repository).pathname}/manifests`)
    const options = { method: 'PUT', body, headers: { 'content-type': type, ...headers } }
    const [status, code = ''] = expected.split(' ')
    expectError(await ask(`${registry.url}${path}`, options), { status: Number(status), code })
  })
})

describe('a deletion of a manifest', () => {
  test.each([
    ['the name before the reference', '/v2/A/b/manifests/-', {}, 400, 'NAME_INVALID'],
    ['If-Match before the absence', '{repository}/v9', { 'if-match': `"${absent}"` }, 412, 'DENIED'],
    ['the absence', '{repository}/v9', {}, 404, 'MANIFEST_UNKNOWN'],
  ] as const)('%s', async (_, pattern, headers, status, code) => {
    await pushImage(repository, anImageManifest())
    const path = pattern.replace('{repository}', `${new URL(repository).pathname}/manifests`)
    expectError(await ask(`${registry.url}${path}`, { method: 'DELETE', headers }), { status, code })
  })
})

test('the method is checked before the name, and the name before the digest', async () => {
  expectError(await ask(`${registry.url}/v2/A/b/tags/list`, { method: 'PUT' }), {
    status: 405,
    code: 'UNSUPPORTED',
  })
  expectError(await ask(`${registry.url}/v2/A/b/blobs/x`), { status: 400, code: 'NAME_INVALID' })
  expectError(await ask(`${registry.url}/v2/a/b/blobs/x`), { status: 400, code: 'DIGEST_INVALID' })
})
