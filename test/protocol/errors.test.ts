/** The table of situations, statuses and codes: each error names the value concerned and the remedy. */
import { beforeAll, describe, expect, test } from 'vitest'
import { errorsOf, expectError } from '../support/http/answers.ts'
import { ask } from '../support/http/client.ts'
import type { Answer, Ask } from '../support/http/client.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import { anImageManifest, mediaType, pushImage } from '../support/content/manifests.ts'
import { aRandomBlob } from '../support/content/random.ts'
import { openSession } from '../support/uploads/upload-session.ts'

const registry = shareRegistry({ storage: { driver: 'memory' }, limits: { manifestBytes: 20_000 } })
const image = anImageManifest()
const { digest: unknown } = aRandomBlob()
const type = { 'content-type': mediaType.ociManifest }
const withMissing = anImageManifest()

interface Situation extends Ask {
  readonly path: string
  readonly status: number
  readonly code: string
  readonly naming: readonly (string | RegExp)[]
}

/** The situations: `{name}` is a repository with `image` tagged v1; `{session}` is an empty upload session there. */
const situations: Record<string, Situation> = {
  'end-3: a name that does not follow the grammar': {
    path: 'Upper/Case/manifests/v1',
    status: 400,
    code: 'NAME_INVALID',
    naming: ['Upper/Case', /lower case/],
  },
  'end-3: a name of the wrong shape': {
    path: 'hello/manifests/v1',
    status: 400,
    code: 'NAME_INVALID',
    naming: ['hello', 'library/hello'],
  },
  'end-8a: an unknown repository': {
    path: 'nobody/nothing/tags/list',
    status: 404,
    code: 'NAME_UNKNOWN',
    naming: ['nobody/nothing', /push/],
  },
  'end-3: an unknown repository': {
    path: 'nobody/nothing/manifests/v1',
    status: 404,
    code: 'MANIFEST_UNKNOWN',
    naming: ['nobody/nothing', /push/],
  },
  'end-3: an unknown tag': {
    path: '{name}/manifests/v2',
    status: 404,
    code: 'MANIFEST_UNKNOWN',
    naming: ['v2', '{name}'],
  },
  'end-3: a tag that cannot be': {
    path: '{name}/manifests/.INVALID_MANIFEST_NAME',
    status: 404,
    code: 'MANIFEST_UNKNOWN',
    naming: ['.INVALID_MANIFEST_NAME', '{name}'],
  },
  'end-3: an unknown digest': {
    path: `{name}/manifests/${unknown}`,
    status: 404,
    code: 'MANIFEST_UNKNOWN',
    naming: [unknown, '{name}'],
  },
  'end-3: a malformed digest': {
    path: '{name}/manifests/sha256:abc',
    status: 400,
    code: 'DIGEST_INVALID',
    naming: ['sha256:abc', '64'],
  },
  'end-2: a malformed digest': {
    path: '{name}/blobs/sha256:abc',
    status: 400,
    code: 'DIGEST_INVALID',
    naming: ['sha256:abc', '64'],
  },
  'end-7a: a push to an invalid tag': {
    method: 'PUT',
    path: '{name}/manifests/-v1',
    body: image.bytes,
    headers: type,
    status: 400,
    code: 'TAG_INVALID',
    naming: ['-v1', /start/],
  },
  'end-7a: a body that is not the digest of the URL': {
    method: 'PUT',
    path: `{name}/manifests/${unknown}`,
    body: image.bytes,
    headers: type,
    status: 400,
    code: 'DIGEST_INVALID',
    naming: [unknown, image.digest],
  },
  'end-7a: a push by an unsupported digest': {
    method: 'PUT',
    path: `{name}/manifests/blake3:${'a'.repeat(64)}`,
    body: image.bytes,
    headers: type,
    status: 400,
    code: 'DIGEST_INVALID',
    naming: ['blake3', /sha256.*sha512/],
  },
  'end-7a: no JSON': {
    method: 'PUT',
    path: '{name}/manifests/v1',
    body: 'manifest',
    headers: type,
    status: 400,
    code: 'MANIFEST_INVALID',
    naming: ['byte 0', /JSON/],
  },
  'end-7a: a wrong schemaVersion': {
    method: 'PUT',
    path: '{name}/manifests/v1',
    body: '{"schemaVersion":3,"config":{},"layers":[]}',
    headers: type,
    status: 400,
    code: 'MANIFEST_INVALID',
    naming: ['schemaVersion', '2', '3'],
  },
  'end-7a: two kinds in one': {
    method: 'PUT',
    path: '{name}/manifests/v1',
    body: '{"schemaVersion":2,"config":{},"layers":[],"manifests":[]}',
    headers: type,
    status: 400,
    code: 'MANIFEST_INVALID',
    naming: ['manifests', /remove/],
  },
  'end-7a: schema 1': {
    method: 'PUT',
    path: '{name}/manifests/v1',
    body: '{"schemaVersion":1}',
    headers: type,
    status: 400,
    code: 'MANIFEST_INVALID',
    naming: ['schema 1', /skopeo/],
  },
  'end-7a: missing blobs': {
    method: 'PUT',
    path: '{name}/manifests/v1',
    body: withMissing.bytes,
    headers: type,
    status: 400,
    code: 'MANIFEST_BLOB_UNKNOWN',
    naming: [withMissing.blobs[0]?.digest ?? '', /push/],
  },
  'end-7a: too large a manifest': {
    method: 'PUT',
    path: '{name}/manifests/v1',
    body: Buffer.alloc(20_001),
    headers: type,
    status: 413,
    code: 'SIZE_INVALID',
    naming: ['20000'],
  },
  'end-7b: tags with a push by tag': {
    method: 'PUT',
    path: '{name}/manifests/v1?tag=v2',
    body: image.bytes,
    headers: type,
    status: 400,
    code: 'TAG_INVALID',
    naming: ['v1', /digest/],
  },
  'end-7a: a condition that does not hold': {
    method: 'PUT',
    path: '{name}/manifests/v1',
    body: image.bytes,
    headers: { ...type, 'if-match': `"${unknown}"` },
    status: 412,
    code: 'DENIED',
    naming: ['v1', image.digest, /retry/],
  },
  'end-2: an unknown blob': {
    path: `{name}/blobs/${unknown}`,
    status: 404,
    code: 'BLOB_UNKNOWN',
    naming: [unknown, '{name}', /push or mount/],
  },
  'end-2: a range that is not there': {
    path: `{name}/blobs/${image.blobs[1]?.digest}`,
    headers: { range: 'bytes=5000-' },
    status: 416,
    code: 'RANGE_INVALID',
    naming: ['5000', '1024'],
  },
  'end-10: a blob in use': {
    method: 'DELETE',
    path: `{name}/blobs/${image.blobs[1]?.digest}`,
    status: 405,
    code: 'UNSUPPORTED',
    naming: [image.blobs[1]?.digest ?? '', image.digest, /first/],
  },
  'end-13: an unknown session': {
    path: '{name}/blobs/uploads/nothing',
    status: 404,
    code: 'BLOB_UPLOAD_UNKNOWN',
    naming: ['nothing', '{name}', /POST/],
  },
  'end-5: a chunk out of order': {
    method: 'PATCH',
    path: '{session}',
    body: '0123456789',
    headers: { 'content-range': '10-19' },
    status: 416,
    code: 'RANGE_INVALID',
    naming: ['0 bytes', /must start at 0/],
  },
  'end-5: a length that is not that of the range': {
    method: 'PATCH',
    path: '{session}',
    body: '0123456789',
    headers: { 'content-range': '0-19' },
    status: 400,
    code: 'SIZE_INVALID',
    naming: ['0-19', '20', '10'],
  },
  'end-5: a range that cannot be read': {
    method: 'PATCH',
    path: '{session}',
    body: '0123456789',
    headers: { 'content-range': 'bytes 0-9/10' },
    status: 400,
    code: 'BLOB_UPLOAD_INVALID',
    naming: ['bytes 0-9/10', '0-1023'],
  },
  'end-6: a missing digest': {
    method: 'PUT',
    path: '{session}',
    status: 400,
    code: 'DIGEST_INVALID',
    naming: [/\?digest=/, /still open/],
  },
  'end-4b: content that is not the digest': {
    method: 'POST',
    path: `{name}/blobs/uploads/?digest=${unknown}`,
    body: image.bytes,
    status: 400,
    code: 'DIGEST_INVALID',
    naming: [unknown, image.digest, String(image.size)],
  },
  'end-4c: an algorithm that is not supported': {
    method: 'POST',
    path: '{name}/blobs/uploads/?digest-algorithm=md5',
    status: 400,
    code: 'DIGEST_INVALID',
    naming: ['md5', /sha256.*sha512/],
  },
  'end-8b: n that is not a number': {
    path: '{name}/tags/list?n=many',
    status: 400,
    code: 'PAGINATION_NUMBER_INVALID',
    naming: ['many', '10000'],
  },
  'a method that the path does not have': {
    method: 'PATCH',
    path: '{name}/manifests/v1',
    status: 405,
    code: 'UNSUPPORTED',
    naming: ['PATCH', 'PUT'],
  },
  'a path that is none of ours': {
    path: '{name}/signatures/v1',
    status: 404,
    code: 'UNSUPPORTED',
    naming: ['{name}/signatures/v1'],
  },
}

/** The codes of the spec, and those of Docker's registry that fit where the spec has none. */
const knownCodes = (
  'BLOB_UNKNOWN BLOB_UPLOAD_INVALID BLOB_UPLOAD_UNKNOWN DIGEST_INVALID MANIFEST_BLOB_UNKNOWN MANIFEST_INVALID ' +
  'MANIFEST_UNKNOWN NAME_INVALID NAME_UNKNOWN SIZE_INVALID UNAUTHORIZED DENIED UNSUPPORTED TOOMANYREQUESTS ' +
  'TAG_INVALID RANGE_INVALID PAGINATION_NUMBER_INVALID'
).split(' ')

let name = ''
let session = ''
beforeAll(async () => {
  const repository = registry.repository()
  name = new URL(repository).pathname.slice('/v2/'.length)
  await pushImage(repository, image, { reference: 'v1' })
  session = new URL(await openSession(repository)).pathname.slice('/v2/'.length)
})

function fill(text: string): string {
  return text.replace('{name}', name).replace('{session}', session)
}

async function askFor({ path, method, headers, body }: Situation): Promise<Answer> {
  return await ask(`${registry.url}/v2/${fill(path)}`, {
    ...(method === undefined ? {} : { method }),
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : { body }),
  })
}

describe('refusals', () => {
  test.each(Object.entries(situations))('%s', async (_title, situation) => {
    const { status, code, naming } = situation
    const answer = await askFor(situation)
    expectError(answer, {
      status,
      code,
      naming: naming.map((part) => (typeof part === 'string' ? fill(part) : part)),
    })
    expect(answer.headers['docker-distribution-api-version']).toBe('registry/2.0')
    expect(answer.headers['x-content-type-options']).toBe('nosniff')
    expect(answer.headers['content-length']).toBe(String(answer.body.length))
    expect(answer.headers['x-request-id']).toMatch(/\S/)
  })

  test('change nothing', async () => {
    const tags = await ask(`${registry.url}/v2/${name}/tags/list`)
    expect(tags.json()).toEqual({ name, tags: ['v1'] })
    const tagged = await ask(`${registry.url}/v2/${name}/manifests/v1`)
    expect(tagged.headers['docker-content-digest']).toBe(image.digest)
    const status = await ask(`${registry.url}/v2/${session}`)
    expect(status.headers.range).toBe('0-0')
  })

  test('use codes known to clients', async () => {
    const answers = await Promise.all(Object.values(situations).map(askFor))
    const codes = new Set(answers.flatMap((answer) => errorsOf(answer).map(({ code }) => code)))
    expect([...codes].filter((code) => !knownCodes.includes(code))).toEqual([])
  })
})

describe('values of a client in messages', () => {
  test.each([
    ['a line break', '%0d%0aSet-Cookie: x'.replaceAll(' ', '%20')],
    ['an escape sequence', '%1b[2J'],
    ['a right-to-left mark', encodeURIComponent('\u202e')],
    ['bytes that are no UTF-8', '%ff%fe'],
    ['NUL', '%00'],
    ['very much text', 'x'.repeat(10_000)],
  ])('E4: %s cannot escape its quotes', async (_what, text) => {
    for (const path of [
      `${name}/manifests/${text}`,
      `${name}/blobs/sha256:${text}`,
      `${name}/tags/list?n=${text}`,
    ]) {
      const answer = await ask(`${registry.url}/v2/${path}`)
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(answer.status).toBeLessThan(500)
      const [first] = errorsOf(answer)
      expect(first?.message).not.toMatch(/\p{Cc}|\u202e/u)
      expect(answer.body.length).toBeLessThan(2000)
      expect(answer.headers['set-cookie']).toBeUndefined()
    }
  })
})
