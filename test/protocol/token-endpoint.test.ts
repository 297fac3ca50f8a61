/** /v2/token as clients use it: Docker's GET and the POST of OAuth 2, every spelling of scopes, every refusal. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectError, expectStatus } from '../support/http/answers.ts'
import { ask, exchangeRaw } from '../support/http/client.ts'
import type { Answer } from '../support/http/client.ts'
import { basic, openIdentityServer, passwordOf } from '../support/parts/identity-server.ts'
import type { IdentityServer } from '../support/parts/identity-server.ts'
import { statusesIn } from '../support/http/raw-connection.ts'
import { tester } from '../support/parts/tester.ts'

interface TokenReply {
  readonly token: string
  readonly access_token: string
  readonly expires_in: number
  readonly issued_at: string
  readonly scope?: string
  readonly token_type?: string
  readonly refresh_token?: string
}

let server: IdentityServer

beforeAll(async () => {
  server = await openIdentityServer()
  await server.addUser('alice')
  await server.addRepository('alice/open', 'public')
  await server.addRepository('alice/secret', 'private')
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

async function get(query: string, authorization?: string, { url } = server): Promise<Answer> {
  return ask(`${url}/v2/token?${query}`, { headers: authorization === undefined ? {} : { authorization } })
}

async function post(form: Record<string, string> | string, { url } = server): Promise<Answer> {
  const body = typeof form === 'string' ? form : new URLSearchParams(form).toString()
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return ask(`${url}/v2/token`, { method: 'POST', headers, body })
}

function read(answer: Answer): TokenReply {
  expectStatus(answer, 200)
  return answer.json() as TokenReply
}

function claimsOf(token: string): { readonly sub: string; readonly aud: string; readonly access: unknown[] } {
  const [, payload = ''] = token.split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as ReturnType<typeof claimsOf>
}

/** Returns `alice/open:pull,push` for each scope of a token. */
function accessOf(answer: Answer): string[] {
  const access = claimsOf(read(answer).token).access as { name: string; actions: string[] }[]
  return access.map(({ name, actions }) => `${name}:${actions.join(',')}`)
}

const alice = { username: 'alice', password: passwordOf('alice') }

describe('GET', () => {
  test('returns the token under both names, its lifetime and its time of issue', async () => {
    const answer = await get('service=lading&scope=repository:alice/secret:pull', basic('alice'))
    const reply = read(answer)
    expect(reply).toEqual({
      token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/) as string,
      access_token: reply.token,
      expires_in: 900,
      issued_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/) as string,
    })
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.headers['content-type']).toBe('application/json')
  })

  test('checks a password without a scope, as docker login does', async () => {
    const login = 'account=alice&client_id=docker&offline_token=true&service=lading'
    const { token, refresh_token: refreshToken } = read(await get(login, basic('alice')))
    expect(refreshToken).toBeUndefined()
    const ping = await ask(`${server.url}/v2/`, { headers: { authorization: `Bearer ${token}` } })
    expect(ping.status).toBe(200)
    const wrong = await get(login, basic('alice', 'wrong password'))
    expectError(wrong, { status: 401, code: 'UNAUTHORIZED' })
    expect(wrong.headers['www-authenticate']).toBe(`Basic realm="${server.url}/v2/token"`)
    expect(wrong.headers['cache-control']).toBe('no-store')
  })

  test.each([
    ['docker and crane', 'scope=repository:alice/x:push,pull', ['alice/x:pull,push']],
    ['podman, escaped', 'scope=repository%3Aalice%2Fx%3Apull%2Cpush', ['alice/x:pull,push']],
    ['skopeo delete', 'scope=repository:alice/x:*', ['alice/x:delete,pull,push']],
    ['oras', 'scope=repository:alice/x:delete,pull', ['alice/x:delete,pull']],
    [
      'a mount, repeated',
      'scope=repository:alice/x:pull,push&scope=repository:alice/open:pull',
      ['alice/x:pull,push', 'alice/open:pull'],
    ],
    [
      'a mount, as the challenge writes it',
      'scope=repository:alice/x:pull,push+repository:alice/open:pull',
      ['alice/x:pull,push', 'alice/open:pull'],
    ],
    [
      'containerd: the union',
      'scope=repository:alice/x:pull&scope=repository:alice/x:pull,push',
      ['alice/x:pull,push'],
    ],
    ['a class', 'scope=repository(plugin):alice/x:pull', ['alice/x:pull']],
    ['the catalog', 'scope=registry:catalog:*', ['catalog:*']],
    ['another owner', 'scope=repository:bob/x:pull,push', ['bob/x:']],
    ['a name without an owner', 'scope=repository:hello:pull', ['hello:']],
    ['a host in the name', 'scope=repository:localhost:5000/a/b:pull', ['localhost:5000/a/b:']],
    ['an action that is none', 'scope=repository:alice/x:pull,admin', ['alice/x:pull']],
    ['nonsense', 'scope=nonsense&scope=&scope=other:thing:pull&scope=repository::pull', []],
    ['no scope', 'service=lading', []],
  ])('understands the scopes of %s', async (_client, query, access) => {
    expect(accessOf(await get(query, basic('alice')))).toEqual(access)
  })

  test.each([
    ['no credentials', undefined],
    ['an empty Basic', 'Basic Og=='],
  ])('gives anonymous the rights of everyone: %s', async (_name, authorization) => {
    const query = 'scope=repository:alice/open:pull,push&scope=repository:alice/secret:pull'
    const answer = await get(query, authorization)
    expect(accessOf(answer)).toEqual(['alice/open:pull', 'alice/secret:'])
    expect(claimsOf(read(answer).token).sub).toBe('anonymous')
  })

  // A client would show a 401 as "invalid username/password" to a user who gave neither.
  test.each([
    ['no credentials', undefined],
    ['an empty Basic', 'Basic Og=='],
  ])('gives anonymous a token without rights in mode none: %s', async (_name, authorization) => {
    await using closed = await openIdentityServer({ anonymous: 'none' })
    await closed.addUser('alice')
    await closed.addRepository('alice/open', 'public')
    const scopes = ['alice/open:pull,push', 'alice/absent:pull'].map((scope) => `scope=repository:${scope}`)
    const answer = await get([...scopes, 'scope=registry:catalog:*'].join('&'), authorization, closed)
    expect(accessOf(answer)).toEqual(['alice/open:', 'alice/absent:', 'catalog:'])
    const headers = { authorization: `Bearer ${read(answer).token}` }
    const paths = ['', '_catalog', 'alice/open/manifests/v1', 'alice/absent/manifests/v1']
    const answers = await Promise.all(paths.map((path) => ask(`${closed.url}/v2/${path}`, { headers })))
    for (const refusal of answers) {
      expectError(refusal, { status: 401, code: 'UNAUTHORIZED', naming: ['log in'] })
      expect(refusal.headers['www-authenticate']).toContain('error="insufficient_scope"')
    }
    const texts = answers.slice(2).map((one) => one.text().replaceAll('absent', 'open'))
    expect(new Set(texts).size).toBe(1)
    expectError(await get('', basic('alice', 'wrong'), closed), { status: 401, code: 'UNAUTHORIZED' })
  })

  test('issues no token for a token (C5)', async () => {
    const narrow = await server.bearer(['repository:alice/open:pull'], 'alice')
    const answer = await get('scope=repository:alice/secret:pull', narrow)
    expectError(answer, { status: 401, code: 'UNAUTHORIZED', naming: ['Basic'] })
  })

  test('has one audience for any service (C3)', async () => {
    for (const service of ['', 'keys', 'lading,admin']) {
      const { aud } = claimsOf(read(await get(`service=${service}`)).token)
      expect(aud).toBe('lading')
    }
  })
})

describe('POST', () => {
  test('accepts a password, as containerd tries first', async () => {
    const scope = 'repository:alice/secret:pull repository:alice/secret:pull,push repository:bob/x:pull'
    const form = {
      grant_type: 'password',
      service: 'lading',
      client_id: 'containerd-client',
      scope,
      ...alice,
    }
    const answer = await post(form)
    const reply = read(answer)
    expect(reply).toEqual({
      token: reply.access_token,
      access_token: expect.any(String) as string,
      token_type: 'Bearer',
      expires_in: 900,
      issued_at: expect.any(String) as string,
      scope: 'repository:alice/secret:pull,push',
    })
    expect(accessOf(answer)).toEqual(['alice/secret:pull,push', 'bob/x:'])
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  test('answers 401 to a wrong password, so that containerd continues with GET', async () => {
    const answer = await post({ grant_type: 'password', username: 'alice', password: 'wrong password' })
    expectError(answer, { status: 401, code: 'UNAUTHORIZED' })
    expect(answer.json()).toMatchObject({ error: 'invalid_grant' })
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  test.each([
    ['no form at all', '', 'invalid_request'],
    ['no password', 'grant_type=password&username=alice', 'invalid_request'],
    ['no name', 'grant_type=password&password=x', 'invalid_request'],
    ['an unknown grant', 'grant_type=client_credentials', 'unsupported_grant_type'],
    [
      'a refresh token while they are off',
      'grant_type=refresh_token&refresh_token=x',
      'unsupported_grant_type',
    ],
  ])('refuses %s with 400', async (_name, form, error) => {
    const answer = await post(form)
    expectError(answer, { status: 400, code: 'UNSUPPORTED' })
    expect(answer.json()).toMatchObject({ error, error_description: expect.any(String) as string })
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  test('accepts only a form', async () => {
    const body = JSON.stringify({ grant_type: 'password', ...alice })
    const headers = { 'content-type': 'application/json' }
    const answer = await ask(`${server.url}/v2/token`, { method: 'POST', headers, body })
    expectError(answer, { status: 400, code: 'UNSUPPORTED', naming: ['x-www-form-urlencoded'] })
  })

  test('accepts at most 64 KiB, announced or not', async () => {
    const field = (bytes: number): string =>
      `grant_type=password&username=alice&password=${'x'.repeat(bytes)}`
    expect((await post(field(60_000))).status).toBe(401)
    expectError(await post(field(70_000)), { status: 413, code: 'SIZE_INVALID' })
    const head = 'POST /v2/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n'
    const received = await exchangeRaw(
      server.url,
      `${head}Content-Type: application/x-www-form-urlencoded\r\n\r\n11170\r\n${'x'.repeat(70_000)}\r\n0\r\n\r\n`,
    )
    expect(statusesIn(received)).toEqual([413])
  })

  test('PUT is 405 and names the methods', async () => {
    const answer = await ask(`${server.url}/v2/token`, { method: 'PUT' })
    expectError(answer, { status: 405, code: 'UNSUPPORTED' })
    expect(answer.headers.allow).toBe('GET, HEAD, POST')
  })
})

describe('refresh tokens', () => {
  test('are issued on request, and renew with the current rights', async () => {
    await using refreshing = await openIdentityServer({ refreshTokens: true })
    await refreshing.addUser('alice')
    const login = 'account=alice&client_id=docker&offline_token=true&service=lading'
    const { refresh_token: refreshToken = '' } = read(await get(login, basic('alice'), refreshing))
    expect(refreshToken).toMatch(/^[\w-]{40,}$/)
    expect(read(await get('service=lading', basic('alice'), refreshing)).refresh_token).toBeUndefined()
    const offline = { grant_type: 'password', access_type: 'offline', ...alice }
    expect(read(await post(offline, refreshing)).refresh_token).toMatch(/\S/)

    const form = {
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      scope: 'repository:alice/x:push,pull',
    }
    const renewed = await post(form, refreshing)
    expect(read(renewed)).toMatchObject({
      refresh_token: refreshToken,
      scope: 'repository:alice/x:pull,push',
    })
    expect(accessOf(renewed)).toEqual(['alice/x:pull,push'])

    const unknown = await post({ ...form, refresh_token: 'nobody-got-this' }, refreshing)
    expectError(unknown, { status: 401, code: 'UNAUTHORIZED' })
    await refreshing.auth.accounts.setPassword('alice', 'another password', tester)
    expect((await post(form, refreshing)).status).toBe(401)
  })

  test('are not issued to anonymous', async () => {
    await using refreshing = await openIdentityServer({ refreshTokens: true })
    expect(read(await get('offline_token=true', undefined, refreshing)).refresh_token).toBeUndefined()
  })
})

describe('many logins that fail', () => {
  test('get 429 and the time to retry, once too many wait', async () => {
    let release = (): void => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    await using slow = await openIdentityServer({
      throttle: { sleep: () => gate, maxPerAddress: 2 },
    })
    const attempts = Array.from({ length: 8 }, (_, i) => get('', basic('nobody', `password ${i}`), slow))
    const first = await Promise.any(
      attempts.map(async (attempt) => {
        const answer = await attempt
        if (answer.status !== 429) throw new Error('not this one')
        return answer
      }),
    )
    release()
    expectError(first, { status: 429, code: 'TOOMANYREQUESTS' })
    expect(Number(first.headers['retry-after'])).toBeGreaterThan(0)
    const statuses = new Set((await Promise.all(attempts)).map(({ status }) => status))
    expect(statuses).toEqual(new Set([401, 429]))
  })
})
