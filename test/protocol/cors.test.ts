/** Pages of other origins that use the registry from a browser (Fetch standard, CORS protocol). */
import { describe, expect, test } from 'vitest'
import { expectError, expectStatus } from '../support/http/answers.ts'
import { askApi } from '../support/http/api-client.ts'
import { ask } from '../support/http/client.ts'
import type { Answer } from '../support/http/client.ts'
import { passwordOf } from '../support/parts/identity-server.ts'
import { startInProcess } from '../support/parts/in-process.ts'
import { basic } from '../support/parts/open-auth.ts'
import { tester } from '../support/parts/tester.ts'

const origin = 'https://ui.example.com'

function corsOf({ headers }: Answer): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.startsWith('access-control-') || name === 'vary'),
  )
}

function start(origins: string[]) {
  return startInProcess({ auth: { anonymous: 'push' }, http: { cors: { origins } } })
}

async function preflight(url: string, from: string): Promise<Answer> {
  const headers = {
    origin: from,
    'access-control-request-method': 'DELETE',
    'access-control-request-headers': 'authorization,content-range',
  }
  return ask(url, { method: 'OPTIONS', headers })
}

const paths = ['/v2/a/b/manifests/v1', '/v2/token', '/api/v1/repositories']

describe('without origins in the configuration', () => {
  test('no page of another origin may send requests or read responses', async () => {
    await using registry = await start([])
    for (const path of paths) {
      expect(corsOf(await ask(`${registry.url}${path}`, { headers: { origin } }))).toEqual({})
      const asked = await preflight(`${registry.url}${path}`, origin)
      expect([asked.status, corsOf(asked)]).toEqual([405, {}])
    }
  })
})

describe('a page of an origin in the configuration', () => {
  test('may send requests, read and change, with credentials', async () => {
    await using registry = await start([`${origin}/`])
    for (const path of paths) {
      const asked = await preflight(`${registry.url}${path}`, origin)
      expectStatus(asked, 204)
      expect(corsOf(asked)).toMatchObject({
        vary: 'Origin',
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        'access-control-allow-methods': expect.stringContaining('DELETE'),
        'access-control-allow-headers': 'authorization,content-range',
        'access-control-max-age': '3600',
      })
      const read = await ask(`${registry.url}${path}`, { headers: { origin } })
      expect(corsOf(read)).toMatchObject({
        vary: 'Origin',
        'access-control-allow-origin': origin,
        'access-control-expose-headers': expect.stringMatching(
          /Docker-Content-Digest.*Location.*WWW-Authenticate/,
        ),
      })
    }
    const headers = { origin, 'sec-fetch-site': 'cross-site' }
    expectStatus(await ask(`${registry.url}/v2/a/b/blobs/uploads/`, { method: 'POST', headers }), 202)
  })

  test('is the only one: others are refused, and caches keep their responses separate', async () => {
    await using registry = await start([origin])
    for (const other of [
      'https://evil.example',
      'https://ui.example.com.evil.example',
      'null',
      'http://ui.example.com',
    ]) {
      expect(corsOf(await ask(`${registry.url}/v2/`, { headers: { origin: other } }))).toEqual({
        vary: 'Origin',
      })
      expectStatus(await preflight(`${registry.url}/v2/`, other), 405)
      const change = { method: 'POST', headers: { origin: other } }
      expectError(await ask(`${registry.url}/v2/a/b/blobs/uploads/`, change), { status: 403, code: 'DENIED' })
    }
    expect(corsOf(await ask(`${registry.url}/v2/`))).toEqual({ vary: 'Origin' })
  })
})

describe('with * in the configuration', () => {
  test('every page may read, but never with credentials that the browser adds', async () => {
    await using registry = await start(['*'])
    const read = await ask(`${registry.url}/v2/`, { headers: { origin } })
    expect(corsOf(read)).toMatchObject({ 'access-control-allow-origin': '*' })
    expect(corsOf(read)).not.toHaveProperty('access-control-allow-credentials')
    expectStatus(await preflight(`${registry.url}/v2/a/b/manifests/v1`, origin), 204)
  })

  test('a page changes something only with its own token', async () => {
    await using registry = await start(['*'])
    const account = { name: 'bob', password: passwordOf('bob'), isAdmin: false }
    await registry.app.auth.accounts.add(account, tester)
    const uploads = `${registry.url}/v2/a/b/blobs/uploads/`
    const getToken = async (headers: Record<string, string>) => {
      const asked = await ask(`${registry.url}/v2/token?scope=repository:a/b:pull,push`, { headers })
      return (asked.json() as { token: string }).token
    }
    const send = (headers: Record<string, string>) =>
      ask(uploads, { method: 'POST', headers: { origin, ...headers } })
    const own = await getToken({ authorization: basic('bob', passwordOf('bob')) })
    expectStatus(await send({ authorization: `Bearer ${own}` }), 202)
    // Every page can get an anonymous token.
    expectStatus(await send({ authorization: `Bearer ${await getToken({})}` }), 403)
    expectStatus(await send({}), 403)
    expectStatus(await send({ authorization: 'Basic YTpi' }), 403)
  })

  test('a page with an invalid token cannot log in or create an account', async () => {
    await using registry = await startInProcess({
      auth: { anonymous: 'push', selfRegistration: true },
      http: { cors: { origins: ['*'] } },
    })
    const account = { name: 'bob', password: passwordOf('bob'), isAdmin: false }
    await registry.app.auth.accounts.add(account, tester)
    const headers = { origin, authorization: 'Bearer anything' }
    const bob = { name: 'bob', password: passwordOf('bob') }
    for (const [path, json] of [
      ['/session', bob],
      ['/registrations', { ...bob, name: 'carol' }],
    ] as const) {
      const answer = await askApi(registry.url, path, { json, headers })
      expect([path, answer.status]).toEqual([path, 403])
    }
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const body = `grant_type=password&username=bob&password=${passwordOf('bob').replaceAll(' ', '+')}`
    const asked = { method: 'POST', headers: { ...headers, ...form }, body }
    expectStatus(await ask(`${registry.url}/v2/token`, asked), 403)
  })
})
