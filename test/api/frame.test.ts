/** Rules for every endpoint of the management API: who has access, which requests are accepted, the form of errors. */
import { beforeAll, describe, expect, test } from 'vitest'
import { endpoints } from '../../src/api/endpoints.ts'
import { askApi } from '../support/http/api-client.ts'
import type { ApiAnswer } from '../support/http/api-client.ts'
import { ask, exchangeRaw, openRequest } from '../support/http/client.ts'
import { basic, passwordOf } from '../support/parts/identity-server.ts'
import { RawConnection } from '../support/http/raw-connection.ts'
import { shareRegistry, startInProcess } from '../support/parts/in-process.ts'
import { tester } from '../support/parts/tester.ts'

const registry = shareRegistry({ auth: { anonymous: 'pull' } })

beforeAll(async () => {
  const { accounts } = registry.app.auth
  await accounts.add({ name: 'root', password: passwordOf('root'), isAdmin: true }, tester)
  await accounts.add({ name: 'bob', password: passwordOf('bob'), isAdmin: false }, tester)
})

function problemOf({ status, headers, value }: ApiAnswer): unknown {
  expect(headers['content-type']).toBe('application/problem+json')
  expect(value).toMatchObject({ status, requestId: headers['x-request-id'] })
  return value['code']
}

describe('access', () => {
  test('every endpoint has an access and an id', () => {
    const places = { owner: '{owner}', repository: '{repository}' } as Readonly<Record<string, string>>
    for (const { access, path } of endpoints) {
      expect(access).toMatch(
        /^(?:public|user|self|administrator|owner:(?:see|administer|credentials)|repository:(?:pull|manage|administer|delete))$/,
      )
      expect(path).toContain(places[access.split(':')[0] ?? ''] ?? '')
    }
    const read = new Set(endpoints.filter(({ tagged }) => tagged).map(({ path }) => path))
    expect(endpoints.filter(({ current, path }) => current !== undefined && !read.has(path))).toEqual([])
    const ids = endpoints.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test.each(
    endpoints.filter(({ access }) => access !== 'public').map((row) => [row.method, row.path, row] as const),
  )('B4: %s %s requires a login before any other check', async (method, path) => {
    const filled = path.replace('{repository}', 'a%2Fb').replaceAll(/\{[a-zA-Z]+\}/g, '1')
    const answer = await askApi(registry.url, `${filled}?unknown=1`, { method })
    expect([answer.status, problemOf(answer)]).toEqual([401, 'UNAUTHORIZED'])
    expect(answer.headers['www-authenticate']).toContain('Bearer')
  })

  test.each(
    endpoints
      .filter(({ access }) => access === 'administrator')
      .map((row) => [row.method, row.path] as const),
  )('B4: %s %s is refused to a user for any target', async (method, path) => {
    for (const name of ['bob', 'nobody']) {
      const filled = path.replaceAll(/\{[a-zA-Z]+\}/g, name)
      const answer = await askApi(registry.url, filled, { method, as: 'bob' })
      expect([answer.status, problemOf(answer)]).toEqual([403, 'DENIED'])
      expect(answer.text()).not.toContain('nobody')
    }
  })

  test('C3: the API refuses a token of /v2', async () => {
    const { token } = (
      await ask(`${registry.url}/v2/token`, { headers: { authorization: basic('root') } })
    ).json() as {
      token: string
    }
    const answer = await askApi(registry.url, '/users', { headers: { authorization: `Bearer ${token}` } })
    expect([answer.status, problemOf(answer)]).toEqual([401, 'UNAUTHORIZED'])
    expect(answer.headers['www-authenticate']).toContain('error="insufficient_scope"')
  })

  test('wrong credentials are refused, even on public pages', async () => {
    const answer = await askApi(registry.url, '/users', {
      headers: { authorization: basic('root', 'wrong') },
    })
    expect([answer.status, problemOf(answer)]).toEqual([401, 'UNAUTHORIZED'])
  })
})

describe('paths', () => {
  test.each([
    '//users',
    '/users/',
    '/users/root/',
    '/users//root',
    '/Users',
    '/users;x=1',
    '/%75sers/root',
    '/users/./root',
    '/users/../users',
    '/..%2fapi/v1/users',
    '/users\\root',
    '',
  ])('B7: %j is not found', async (path) => {
    const received = await exchangeRaw(
      registry.url,
      `GET /api/v1${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('root')}\r\nConnection: close\r\n\r\n`,
    )
    expect(received).toMatch(/^HTTP\/1\.1 404 /)
    expect(received).toContain('application/problem+json')
  })

  test.each([
    'root%2f',
    '..',
    '%2e%2e',
    'ROOT',
    'root%00',
    'root%20',
    '%ff',
    '%',
    'ro%ot',
    'root;x',
    'r%C3%B6t',
  ])('B7: /users/%s is refused by the check of names', async (name) => {
    const send = async (who: string) =>
      exchangeRaw(
        registry.url,
        `GET /api/v1/users/${name} HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic(who)}\r\nConnection: close\r\n\r\n`,
      )
    expect(await send('root')).toMatch(/^HTTP\/1\.1 400 /)
    expect(await send('bob')).toMatch(/^HTTP\/1\.1 403 /)
  })

  test('the absolute form of a target has the same response', async () => {
    const received = await exchangeRaw(
      registry.url,
      `GET http://elsewhere/api/v1/users/root?x=1 HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('root')}\r\nConnection: close\r\n\r\n`,
    )
    expect(received).toMatch(/^HTTP\/1\.1 400 [^]*query\.x/)
  })

  test('a path with the same prefix is not part of the API', async () => {
    expect((await ask(`${registry.url}/apis/v1/users`)).headers['content-type']).toBe('application/json')
  })

  test.each(['PUT', 'DELETE', 'OPTIONS', 'PROPFIND', 'TRACE'])(
    '%s of a list answers 405 and Allow',
    async (method) => {
      const answer = await askApi(registry.url, '/users', { method })
      expect([answer.status, problemOf(answer), answer.headers.allow]).toEqual([
        405,
        'UNSUPPORTED',
        'GET, HEAD, POST',
      ])
    },
  )

  test('HEAD answers like GET without the content', async () => {
    const [head, get] = await Promise.all(
      ['HEAD', 'GET'].map((method) => askApi(registry.url, '/users/root', { method, as: 'root' })),
    )
    expect(head?.body).toHaveLength(0)
    for (const name of ['etag', 'content-length', 'content-type'])
      expect(head?.headers[name]).toBe(get?.headers[name])
  })
})

describe('input', () => {
  test('a client that disconnects in the middle of its body causes no error: the shared registry would report it', async () => {
    using connection = await RawConnection.open(registry.url)
    const head = [
      'POST /api/v1/session HTTP/1.1',
      'Host: x',
      'Content-Type: application/json',
      'Content-Length: 100',
    ]
    connection.write(`${head.join('\r\n')}\r\n\r\n{"name":`)
    expect((await askApi(registry.url, '/users/root', { as: 'root' })).status).toBe(200)
    connection.reset()
    expect((await askApi(registry.url, '/users/root', { as: 'root' })).status).toBe(200)
  })

  test('B11: a query parameter that is not declared is refused', async () => {
    for (const query of ['sort=password_hash', 'q=password=~a', 'limit=1&limit=2', '__proto__=1']) {
      const answer = await askApi(registry.url, `/users?${query}`, { as: 'root' })
      expect([answer.status, problemOf(answer)]).toEqual([400, 'UNSUPPORTED'])
    }
  })

  test('a query with thousands of parameters is refused by their number, without naming each', async () => {
    const query = Array.from({ length: 2_000 }, (_, index) => `q${index}`).join('&')
    const answer = await askApi(registry.url, `/users?${query}`, { as: 'root' })
    expect([answer.status, problemOf(answer)]).toEqual([400, 'UNSUPPORTED'])
    expect(answer.value['errors']).toEqual([
      { field: 'query', message: 'has 2000 parameters; send at most 100' },
    ])
  })

  test.each(['0', '-1', '201', '1e3', '2147483648', 'abc', ''])(
    'A1: limit=%s is refused by name',
    async (limit) => {
      const answer = await askApi(registry.url, `/users?limit=${limit}`, { as: 'root' })
      expect(answer.status).toBe(400)
      expect(answer.value['errors']).toEqual([
        { field: 'query.limit', message: 'use a number from 1 to 200' },
      ])
    },
  )

  test('each fault of a body is named, without its value', async () => {
    const json = { name: 'Secret Name', password: 'short', isadmin: true }
    const answer = await askApi(registry.url, '/users', { as: 'root', json })
    expect([answer.status, problemOf(answer)]).toEqual([400, 'UNSUPPORTED'])
    const fields = (answer.value['errors'] as { field: string }[]).map(({ field }) => field)
    expect(fields.sort()).toEqual(['body.isadmin', 'body.name', 'body.password'])
    expect(answer.text()).not.toMatch(/Secret Name|"short"/)
  })

  test.each([
    ['text/plain', '{}', 415, 'UNSUPPORTED'],
    ['application/x-www-form-urlencoded', 'name=x', 415, 'UNSUPPORTED'],
    ['', '{}', 415, 'UNSUPPORTED'],
    ['application/json', '{', 400, 'UNSUPPORTED'],
    ['application/json', '', 400, 'UNSUPPORTED'],
    ['application/json; charset=utf-8', '"text"', 400, 'UNSUPPORTED'],
    ['application/json', Buffer.from([0x22, 0xff, 0x22]), 400, 'UNSUPPORTED'],
    ['application/json', `"${'x'.repeat(64 * 1024)}"`, 413, 'SIZE_INVALID'],
    ['application/json', '['.repeat(60_000), 400, 'UNSUPPORTED'],
    [
      'application/json',
      `{"__proto__":{"isAdmin":true},"name":"eve","password":"long enough"}`,
      400,
      'UNSUPPORTED',
    ],
  ])('A2: a body of type %j is checked first', async (type, body, status, code) => {
    const answer = await ask(`${registry.url}/api/v1/users`, {
      method: 'POST',
      headers: { authorization: basic('root'), ...(type !== '' && { 'content-type': type }) },
      body,
    })
    const { code: found } = answer.json() as { code: string }
    expect([answer.status, found]).toEqual([status, code])
  })

  test('a body that stops arriving is answered with 408', async () => {
    await using impatient = await startInProcess({ limits: { idleTimeoutMs: 1_000 } })
    const { accounts } = impatient.app.auth
    await accounts.add({ name: 'root', password: passwordOf('root'), isAdmin: true }, tester)
    await using request = openRequest(`${impatient.url}/api/v1/users`, {
      method: 'POST',
      headers: { authorization: basic('root'), 'content-type': 'application/json', 'content-length': 100 },
    })
    await request.write('{')
    const answer = await request.answer
    const { code } = answer.json() as { code: string }
    expect([answer.status, code]).toEqual([408, 'SIZE_INVALID'])
  })
})

describe('browsers', () => {
  test.each([
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ])('G4: a change from another site is refused: %j', async (headers) => {
    const answer = await askApi(registry.url, '/users/bob', {
      method: 'PATCH',
      json: {},
      as: 'root',
      headers,
    })
    expect([answer.status, problemOf(answer)]).toEqual([403, 'DENIED'])
  })

  test('G4: pages of this registry may change something, and no other site gets access by CORS', async () => {
    const headers = { origin: registry.url, 'sec-fetch-site': 'same-origin' }
    const answer = await askApi(registry.url, '/users/bob', {
      method: 'PATCH',
      json: {},
      as: 'root',
      headers,
    })
    expect(answer.status).toBe(200)
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))).toEqual([])
  })

  test('scripts get no challenge that would open a dialog', async () => {
    const answer = await askApi(registry.url, '/users', { headers: { 'sec-fetch-mode': 'cors' } })
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="lading"')
  })

  test('nothing but a page is kept, and nothing is guessed at', async () => {
    for (const path of ['/users', '/nothing', '']) {
      const { headers } = await askApi(registry.url, path)
      expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    }
  })
})

test('the OpenAPI document has every endpoint with every status it can answer', async () => {
  const document = (await askApi(registry.url, '/openapi.json')).value as unknown as {
    openapi: string
    paths: Record<string, Record<string, { operationId: string; responses: object }>>
  }
  expect(document.openapi).toMatch(/^3\.1\./)
  const found = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { operationId }]) => `${method.toUpperCase()} ${path} ${operationId}`),
  )
  expect(found.sort()).toEqual(endpoints.map(({ method, path, id }) => `${method} ${path} ${id}`).sort())
})
