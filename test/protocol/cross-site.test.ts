/** G4: requests to /v2 that pages of other sites can make a browser send, on a registry that needs no login. */
import { describe, expect, test } from 'vitest'
import { expectError, expectStatus } from '../support/http/answers.ts'
import { ask } from '../support/http/client.ts'
import { passwordOf } from '../support/parts/identity-server.ts'
import { shareRegistry, startInProcess } from '../support/parts/in-process.ts'
import { anImageManifest, pushBlob, pushImage } from '../support/content/manifests.ts'
import { basic } from '../support/parts/open-auth.ts'
import { aRandomBlob } from '../support/content/random.ts'
import { tester } from '../support/parts/tester.ts'

const registry = shareRegistry({ auth: { anonymous: 'push' } })

const others: Record<string, string>[] = [
  { origin: 'https://evil.example' },
  { origin: 'ftp://127.0.0.1' },
  { origin: 'null' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
]

describe('a change from another site', () => {
  test.each(others)('is refused: %j', async (headers) => {
    const repository = registry.repository()
    const image = anImageManifest()
    await pushImage(repository, image, { reference: 'v1' })
    const { bytes, digest } = aRandomBlob()
    const changes = [
      ['POST', '/blobs/uploads/', undefined],
      ['POST', `/blobs/uploads/?digest=${digest}`, bytes],
      ['PUT', '/manifests/v2', image.bytes],
      ['DELETE', '/manifests/v1', undefined],
    ] as const
    for (const [method, path, body] of changes) {
      const answer = await ask(`${repository}${path}`, { method, headers, ...(body && { body }) })
      expectError(answer, { status: 403, code: 'DENIED', naming: ['not sent by a page of this registry'] })
    }
    expect((await ask(`${repository}/tags/list`)).json()).toMatchObject({ tags: ['v1'] })
    expectStatus(await ask(`${repository}/blobs/${digest}`), 404)
  })

  test('is refused by the token endpoint', async () => {
    const answer = await ask(`${registry.url}/v2/token`, {
      method: 'POST',
      headers: { origin: 'https://evil.example', 'content-type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=password&username=a&password=b',
    })
    expectStatus(answer, 403)
  })
})

describe('a refresh token', () => {
  const headers = { authorization: basic('bob', passwordOf('bob')) }

  test.each(others)('is not issued to a page of another site: %j', async (page) => {
    await using known = await startInProcess({ auth: { refreshTokens: true } })
    const account = { name: 'bob', password: passwordOf('bob'), isAdmin: false }
    await known.app.auth.accounts.add(account, tester)
    const path = `${known.url}/v2/token?offline_token=true`
    for (const method of ['GET', 'HEAD']) {
      expectStatus(await ask(path, { method, headers: { ...headers, ...page } }), 403)
    }
    // A page may load it as an image: the request creates nothing, and no page can read the response.
    expectStatus(await ask(`${known.url}/v2/token`, { headers: { ...headers, ...page } }), 200)
    expect((await ask(path, { headers })).json()).toHaveProperty('refresh_token')
  })
})

test('pages of other sites may make a browser read, and programs and own pages may change something', async () => {
  const repository = registry.repository()
  await pushBlob(repository, aRandomBlob())
  for (const headers of others) expectStatus(await ask(`${registry.url}/v2/`, { headers }), 200)
  const own = { origin: registry.url, 'sec-fetch-site': 'same-origin' }
  expectStatus(await ask(`${repository}/blobs/uploads/`, { method: 'POST', headers: own }), 202)
  expectStatus(await ask(`${repository}/blobs/uploads/`, { method: 'POST' }), 202)
})

test('a page whose own name resolves to this registry (DNS rebinding) changes nothing if the public address is configured', async () => {
  await using known = await startInProcess({ http: { publicUrl: 'https://registry.test' } })
  const send = (origin: string) =>
    ask(`${known.repository()}/blobs/uploads/`, {
      method: 'POST',
      headers: { host: 'evil.example:5000', origin, 'sec-fetch-site': 'same-origin' },
    })
  expectStatus(await send('http://evil.example:5000'), 403)
  expectStatus(await send('https://registry.test'), 202)
})
