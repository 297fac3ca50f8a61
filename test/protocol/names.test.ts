/** Repository names, tags and digests (distribution-spec, definitions), and paths that imitate other routes. */
import { beforeAll, describe, expect, test } from 'vitest'
import { errorsOf, expectError, expectStatus } from '../support/http/answers.ts'
import { ask, exchangeRaw } from '../support/http/client.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import {
  anArtifact,
  anImageManifest,
  aDescriptor,
  pushBlob,
  pushImage,
  pushManifest,
} from '../support/content/manifests.ts'
import { aRandomBlob, aRandomWord } from '../support/content/random.ts'
import { openSession } from '../support/uploads/upload-session.ts'

const registry = shareRegistry({ storage: { driver: 'memory' } })

describe('repository names', () => {
  test.each([
    'a/b',
    '0/1',
    'a-b/c--d',
    'a.b/c_d',
    'a__b/c---d',
    'owner/image/with/many/more/components',
    `${'o'.repeat(100)}/${'i'.repeat(154)}`,
  ])('end-4a: accept %s', async (name) => {
    const blob = aRandomBlob()
    await pushBlob(`${registry.url}/v2/${name}`, blob)
    const answer = await ask(`${registry.url}/v2/${name}/blobs/${blob.digest}`)
    expectStatus(answer, 200)
    expect(answer.body.equals(blob.bytes)).toBe(true)
  })

  test.each([
    ['library', /library\/library/],
    ['Owner/image', /lower case/],
    ['owner/Image', /lower case/],
    ['owner/-image', /"-image"/],
    ['owner/image-', /"image-"/],
    ['owner/a___b', /"a___b"/],
    ['owner/a._b', /"a._b"/],
    ['owner/a..b', /"a..b"/],
    ['owner/im age', /im/],
    ['owner//image', /empty component/],
    ['owner/image/', /empty component/],
    ['_owner/image', /"_owner"/],
    ['owner/b%C3%A4r', /owner|b/],
    ['api/image', /reserved/],
    ['v2/image', /reserved/],
    [`owner/${'i'.repeat(250)}`, /255/],
  ])('end-4a: refuse %s with advice', async (name, advice) => {
    const answer = await ask(`${registry.url}/v2/${name.replace(' ', '%20')}/blobs/uploads/`, {
      method: 'POST',
    })
    // Docker stops at the first code; after NAME_INVALID it would retry for 50 s.
    expectError(answer, { status: 400, code: 'DENIED', naming: [advice] })
    expect(errorsOf(answer).map(({ code }) => code)).toEqual(['DENIED', 'NAME_INVALID'])
  })

  test('end-2, end-3: explain the refusal in the status line of HEAD, which has no body', async () => {
    for (const path of [`blobs/sha256:${'a'.repeat(64)}`, 'manifests/latest']) {
      const answer = await ask(`${registry.url}/v2/hello/${path}`, { method: 'HEAD' })
      expect(answer.status).toBe(400)
      expect(answer.reason).toContain('write <owner>/<image>, for example library/hello')
    }
  })

  test('end-3, end-8a, end-12a: refuse a name without owner and show how to write one', async () => {
    for (const path of ['manifests/latest', 'tags/list', `referrers/sha256:${'a'.repeat(64)}`]) {
      const answer = await ask(`${registry.url}/v2/hello/${path}`)
      expectError(answer, { status: 400, code: 'NAME_INVALID', naming: ['<owner>/<image>', 'library/hello'] })
    }
  })

  test.each([
    'blobs/uploads',
    'manifests/latest',
    'tags/list',
    'uploads/blobs/uploads',
    'referrers/tags/list',
    'x/manifests/blobs/referrers',
  ])('every endpoint works in %s, a name of path words', async (words) => {
    const repository = `${registry.url}/v2/${aRandomWord()}/${words}`
    const image = anImageManifest()
    await pushImage(repository, image, { reference: 'v1' })
    await pushImage(repository, anArtifact({ subject: image.descriptor }))
    const session = await openSession(repository)
    expect((await ask(session)).status).toBe(204)
    expect((await ask(session, { method: 'DELETE' })).status).toBe(204)
    const tags = await ask(`${repository}/tags/list`)
    expect(tags.json()).toEqual({ name: new URL(repository).pathname.slice('/v2/'.length), tags: ['v1'] })
    const referrers = await ask(`${repository}/referrers/${image.digest}`)
    expect((referrers.json() as { manifests: unknown[] }).manifests).toHaveLength(1)
    expect((await ask(`${repository}/manifests/v1`, { method: 'DELETE' })).status).toBe(202)
    expect((await ask(`${repository}/manifests/${image.digest}`, { method: 'DELETE' })).status).toBe(202)
    expect((await ask(`${repository}/blobs/${image.blobs[0]?.digest}`, { method: 'DELETE' })).status).toBe(
      202,
    )
  })
})

describe('tags', () => {
  const image = anImageManifest()
  let repository = ''
  beforeAll(async () => {
    repository = registry.repository()
    await pushImage(repository, image)
  })

  test.each(['latest', '_', 'V1.2.3-rc_1', '0', 'a'.repeat(128), 'sha256-abc', 'list', 'uploads'])(
    'end-7a: accept %s',
    async (tag) => {
      await pushManifest(repository, image, { reference: tag })
      const answer = await ask(`${repository}/manifests/${tag}`)
      expect(answer.headers['docker-content-digest']).toBe(image.digest)
    },
  )

  test.each(['.dot', '-dash', 'a'.repeat(129), 'a%20b', 'b%C3%A4r', 'a+b', 'a%00b', '%20'])(
    'end-7a, end-3, end-9: refuse %s: 400 on PUT, 404 on GET, HEAD and DELETE',
    async (tag) => {
      const url = `${repository}/manifests/${tag}`
      const put = await ask(url, {
        method: 'PUT',
        body: image.bytes,
        headers: { 'content-type': image.mediaType },
      })
      expectError(put, { status: 400, code: 'TAG_INVALID', naming: [/tag "/, /[;,:]/] })
      expectError(await ask(url), { status: 404, code: 'MANIFEST_UNKNOWN' })
      expect((await ask(url, { method: 'HEAD' })).status).toBe(404)
      expectError(await ask(url, { method: 'DELETE' }), { status: 404, code: 'MANIFEST_UNKNOWN' })
    },
  )

  test('end-3: upper and lower case are different tags', async () => {
    const [lower, upper] = [anImageManifest(), anImageManifest()]
    await pushImage(repository, lower, { reference: 'tag' })
    await pushImage(repository, upper, { reference: 'TAG' })
    const answers = await Promise.all(['tag', 'TAG'].map((tag) => ask(`${repository}/manifests/${tag}`)))
    expect(answers.map(({ headers }) => headers['docker-content-digest'])).toEqual([
      lower.digest,
      upper.digest,
    ])
    expect((await ask(`${repository}/manifests/Tag`)).status).toBe(404)
  })
})

const badDigests = [
  'sha256:baddigeststring',
  `sha256:${'A'.repeat(64)}`,
  `sha256:${'a'.repeat(63)}`,
  `sha256:${'a'.repeat(65)}`,
  `sha512:${'a'.repeat(64)}`,
  'sha256:',
  ':abc',
  'sha256:../../etc',
  'sha256:%00',
]

describe('digests', () => {
  let repository = ''
  beforeAll(async () => {
    repository = registry.repository()
    await pushImage(repository, anImageManifest(), { reference: 'v1' })
  })

  test.each(badDigests)('end-2, end-3, end-12a: %s is refused with 400 DIGEST_INVALID', async (digest) => {
    const escaped = digest.replaceAll('/', '%2F')
    for (const path of [`blobs/${escaped}`, `manifests/${escaped}`, `referrers/${escaped}`]) {
      expectError(await ask(`${repository}/${path}`), {
        status: 400,
        code: 'DIGEST_INVALID',
        naming: [/digest "/],
      })
    }
  })

  test.each(badDigests)('end-10, end-9: DELETE of %s answers 400 or 404', async (digest) => {
    const escaped = digest.replaceAll('/', '%2F')
    for (const path of [`blobs/${escaped}`, `manifests/${escaped}`]) {
      const answer = await ask(`${repository}/${path}`, { method: 'DELETE' })
      expect([400, 404]).toContain(answer.status)
    }
  })

  test('end-2, end-3, end-12a: a digest of an unregistered algorithm is not found', async () => {
    const digest = 'md5+future:abc_DEF-='
    expectError(await ask(`${repository}/blobs/${digest}`), { status: 404, code: 'BLOB_UNKNOWN' })
    expectError(await ask(`${repository}/manifests/${digest}`), { status: 404, code: 'MANIFEST_UNKNOWN' })
    expectStatus(await ask(`${repository}/referrers/${digest}`), 200)
  })

  test('end-7a: a descriptor may use an algorithm that cannot be checked here', async () => {
    const repository = registry.repository()
    const blob = { ...aRandomBlob(), digest: 'blake3:'.padEnd(71, 'a') }
    const subject = aDescriptor(blob, 'application/vnd.oci.image.manifest.v1+json')
    const image = anImageManifest({ subject })
    await pushImage(repository, image)
    const referrers = await ask(`${repository}/referrers/${subject.digest}`)
    expect((referrers.json() as { manifests: unknown[] }).manifests).toHaveLength(1)
  })

  test('end-2, end-3: a percent-encoded colon counts as a colon', async () => {
    const repository = registry.repository()
    const image = anImageManifest()
    await pushImage(repository, image, { reference: 'v1' })
    expectStatus(await ask(`${repository}/manifests/${image.digest.replace(':', '%3A')}`), 200)
    expectStatus(await ask(`${repository}/blobs/${image.blobs[0]?.digest.replace(':', '%3a')}`), 200)
  })
})

describe('path variants', () => {
  let name = ''
  beforeAll(async () => {
    const repository = registry.repository()
    name = new URL(repository).pathname.slice('/v2/'.length)
    await pushImage(repository, anImageManifest(), { reference: 'v1' })
  })

  test.each([
    '/v2//{name}/manifests/v1',
    '/v2/{name}//manifests/v1',
    '/v2/{name}/manifests//v1',
    '/v2/{name}/manifests/v1/',
    '/v2/{twice}/manifests/v1',
    '/v2/{encoded}%2fmanifests/v1',
    '/v2/{name}%2fmanifests%2fv1',
    '/v2/x/../{name}/manifests/v1',
    '/v2/{name}/x/../manifests/v1',
    '/v2/{name}/./manifests/v1',
    '/v2/{name}/%2e%2e/manifests/v1',
    '/v2/{name}\\manifests\\v1',
    '/v2/{name};x=y/manifests/v1',
    '/v2/{name}/manifests/v1;x=y',
    '/v2/{upper}/manifests/v1',
    '/V2/{name}/manifests/v1',
    '/v2/{name}/MANIFESTS/v1',
    '/v2/{name}/manifests/v1%00',
    '/v2/{name}/manifests/%',
    '/v2/{name}\u00a0/manifests/v1',
    '//v2/{name}/manifests/v1',
    '/%76%32/{name}/manifests/v1',
    '/./v2/{name}/manifests/v1',
  ])('B7: %s does not reach the manifest', async (pattern) => {
    const path = pattern
      .replace('{name}', name)
      .replace('{encoded}', name.replace('/', '%2F'))
      .replace('{twice}', name.replace('/', '%252F'))
      .replace('{upper}', name.toUpperCase())
    const head = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`
    const received = await exchangeRaw(registry.url, Buffer.from(head, 'latin1'))
    expect(received).toMatch(/^HTTP\/1\.1 4\d\d /)
  })

  test('a name with %2F is the name with /, for every method', async () => {
    const encoded = `${registry.url}/v2/${name.replace('/', '%2f')}`
    for (const method of ['GET', 'HEAD'] as const) {
      expect((await ask(`${encoded}/manifests/v1`, { method })).status).toBe(200)
    }
    expect((await ask(`${encoded}/tags/list`)).json()).toEqual({ name, tags: ['v1'] })
    const blob = aRandomBlob()
    await pushBlob(encoded, blob)
    expect((await ask(`${registry.url}/v2/${name}/blobs/${blob.digest}`)).status).toBe(200)
    expect((await ask(`${encoded}/blobs/${blob.digest}`, { method: 'DELETE' })).status).toBe(202)
    const refused = await ask(`${registry.url}/v2/a%2fB%2fc/manifests/v1`)
    expectError(refused, { status: 400, code: 'NAME_INVALID', naming: ['a/B/c'] })
  })

  test('B9: names with _ are distinct from names that match _ as a wildcard', async () => {
    const word = aRandomWord()
    const image = anImageManifest()
    await pushImage(`${registry.url}/v2/${word}/a_b`, image, { reference: 'v_1' })
    await pushBlob(`${registry.url}/v2/${word}/axb`, aRandomBlob())
    expect((await ask(`${registry.url}/v2/${word}/axb/manifests/v_1`)).status).toBe(404)
    expect((await ask(`${registry.url}/v2/${word}/axb/manifests/${image.digest}`)).status).toBe(404)
    expect((await ask(`${registry.url}/v2/${word}/a_b/manifests/vx1`)).status).toBe(404)
    const tags = await ask(`${registry.url}/v2/${word}/axb/tags/list`)
    expect(tags.json()).toEqual({ name: `${word}/axb`, tags: [] })
  })

  test('B8: repositories whose names are prefixes of each other have separate content', async () => {
    const word = aRandomWord()
    const names = [`${word}/a`, `${word}/a/a`, `${word}/aa`, `${word}a/a`]
    for (const name of names) {
      const image = anImageManifest()
      await pushImage(`${registry.url}/v2/${name}`, image, { reference: name.replaceAll('/', '-') })
      await pushManifest(`${registry.url}/v2/${name}`, image, { reference: 'a' })
    }
    for (const name of names) {
      const tags = await ask(`${registry.url}/v2/${name}/tags/list`)
      expect(tags.json()).toEqual({ name, tags: ['a', name.replaceAll('/', '-')] })
    }
  })
})
