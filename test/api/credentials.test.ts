/** Access tokens, robots, sessions, grants and queries about rights, over HTTP. */
import { beforeAll, describe, expect, test } from 'vitest'
import { askApi } from '../support/http/api-client.ts'
import type { ApiAnswer } from '../support/http/api-client.ts'
import { basic, passwordOf } from '../support/parts/identity-server.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import { tester } from '../support/parts/tester.ts'

const registry = shareRegistry({ auth: { anonymous: 'pull' } })

interface Options {
  readonly as?: string
  readonly bearer?: string
  readonly json?: unknown
  readonly headers?: Record<string, string>
}

function call(
  method: string,
  path: string,
  { bearer, headers, ...options }: Options = {},
): Promise<ApiAnswer> {
  const authorization: Record<string, string> =
    bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }
  return askApi(registry.url, path, { method, ...options, headers: { ...authorization, ...headers } })
}

beforeAll(async () => {
  const { accounts } = registry.app.auth
  await accounts.add({ name: 'root', password: passwordOf('root'), isAdmin: true }, tester)
  for (const name of ['alice', 'bob']) {
    await accounts.add({ name, password: passwordOf(name), isAdmin: false }, tester)
  }
  await call('POST', '/owners', { as: 'root', json: { name: 'acme', visibility: 'private' } })
  await call('PUT', '/owners/acme/members/alice', { as: 'root', json: { role: 'owner' } })
  await call('POST', '/owners/acme/robots', { as: 'alice', json: { name: 'ci' } })
})

async function makeToken(path: string, as: string, json: object): Promise<{ id: number; secret: string }> {
  const made = await call('POST', path, { as, json })
  expect(made.status).toBe(201)
  const { token, secret } = made.value as { token: { id: number }; secret: string }
  expect(made.headers.location).toBe(`/api/v1${path}/${token.id}`)
  return { id: token.id, secret }
}

describe('access tokens', () => {
  test('show their secret once, and end when they are revoked', async () => {
    const { id, secret } = await makeToken('/me/tokens', 'bob', { name: 'laptop' })
    expect((await call('GET', '/me', { bearer: secret })).value).toMatchObject({
      name: 'bob',
      credential: `access-token:${id}`,
    })
    expect((await call('GET', '/me', { headers: { authorization: basic('bob', secret) } })).status).toBe(200)
    const listed = await call('GET', '/me/tokens', { as: 'bob' })
    expect(listed.text()).toContain('laptop')
    expect(listed.text()).not.toContain(secret)
    expect((await call('DELETE', `/me/tokens/${id}`, { as: 'bob' })).status).toBe(204)
    expect((await call('GET', '/me', { bearer: secret })).status).toBe(401)
  })

  test.each([
    ['a user', '/me/tokens', 'bob'],
    ['a robot', '/owners/acme/robots/ci/tokens', 'alice'],
  ])('of %s are revoked only in the state that If-Match names', async (_whose, path, as) => {
    const { id } = await makeToken(path, as, { name: 'guarded' })
    const { etag = '' } = (await call('GET', `${path}/${id}`, { as })).headers
    const revoke = (tag: string) => call('DELETE', `${path}/${id}`, { as, headers: { 'if-match': tag } })
    expect((await revoke('"stale"')).status).toBe(412)
    expect((await revoke(etag)).status).toBe(204)
  })

  test('C5: a narrowed one makes no other, changes no password, and is no administrator', async () => {
    const { secret } = await makeToken('/me/tokens', 'root', {
      name: 'narrow',
      actions: ['pull'],
      repositories: ['acme/**'],
    })
    expect((await call('GET', '/me', { bearer: secret })).value).toMatchObject({
      limits: { actions: ['pull'], repositories: ['acme/**'] },
    })
    for (const [method, path, json] of [
      ['POST', '/me/tokens', { name: 'wide' }],
      ['PUT', '/me/password', { oldPassword: passwordOf('root'), password: 'another password' }],
      ['GET', '/users', undefined],
      ['PATCH', '/owners/acme', { visibility: 'public' }],
    ] as const) {
      expect((await call(method, path, { bearer: secret, json })).status).toBeOneOf([401, 403])
    }
  })

  test('an unrestricted one makes no other, either', async () => {
    const { secret } = await makeToken('/me/tokens', 'bob', { name: 'whole' })
    expect((await call('POST', '/me/tokens', { bearer: secret, json: { name: 'next' } })).status).toBe(403)
  })

  test('are found only by their own account', async () => {
    const { id } = await makeToken('/me/tokens', 'alice', { name: 'hers' })
    for (const [method, path] of [
      ['GET', `/me/tokens/${id}`],
      ['DELETE', `/me/tokens/${id}`],
      ['GET', '/me/tokens/999999'],
    ] as const) {
      expect((await call(method, path, { as: 'bob' })).status).toBe(404)
    }
    expect((await call('POST', `/me/tokens/${id}/rotate`, { as: 'bob', json: {} })).status).toBe(404)
  })

  test.each([
    [{ name: '' }, 'body.name'],
    [{ name: 'x', actions: ['everything'] }, 'body.actions.0'],
    [{ name: 'x', expiresAt: 'tomorrow' }, 'body.expiresAt'],
    [{ name: 'x', admin: true }, 'body.admin'],
  ])('%j is refused by its field', async (json, field) => {
    const { status, value } = await call('POST', '/me/tokens', { as: 'bob', json })
    expect([status, (value['errors'] as { field: string }[])[0]?.field]).toEqual([400, field])
  })

  test('an invalid pattern and an expiry in the past are refused with the reason', async () => {
    for (const json of [
      { name: 'x', repositories: ['a//b'] },
      { name: 'x', expiresAt: '2001-01-01T00:00:00Z' },
    ]) {
      expect((await call('POST', '/me/tokens', { as: 'bob', json })).status).toBe(400)
    }
  })
})

describe('robots', () => {
  test('have tokens that rotate, with the old one for a while', async () => {
    const tokens = '/owners/acme/robots/ci/tokens'
    const old = await makeToken(tokens, 'alice', { name: 'build' })
    const rotated = await call('POST', `${tokens}/${old.id}/rotate`, {
      as: 'alice',
      json: { overlapSeconds: 3600 },
    })
    expect(rotated.status).toBe(201)
    for (const bearer of [old.secret, String(rotated.value['secret'])]) {
      expect((await call('GET', '/me', { bearer })).value).toMatchObject({ name: 'acme+ci', kind: 'robot' })
    }
    expect((await call('GET', '/me/tokens', { bearer: old.secret })).status).toBe(403)
    await call('PATCH', '/owners/acme/robots/ci', { as: 'alice', json: { disabled: true } })
    expect((await call('GET', '/me', { bearer: old.secret })).status).toBe(401)
    await call('PATCH', '/owners/acme/robots/ci', { as: 'alice', json: { disabled: false } })
  })

  test('have tokens whose lifetime each rotation renews, even of a token that was already rotated', async () => {
    const tokens = '/owners/acme/robots/ci/tokens'
    const expiresAt = new Date(Date.now() + 90 * 24 * 3_600_000).toISOString()
    const { id } = await makeToken(tokens, 'alice', { name: 'quarter', expiresAt })
    for (const overlapSeconds of [3600, 3600]) {
      const { value } = await call('POST', `${tokens}/${id}/rotate`, {
        as: 'alice',
        json: { overlapSeconds },
      })
      const { token } = value as { token: { expiresAt: string } }
      expect(token.expiresAt >= expiresAt).toBe(true)
    }
  })

  test('C5: get no token with a restricted one, which may cover less and expire earlier', async () => {
    const { secret } = await makeToken('/me/tokens', 'alice', { name: 'rights', actions: ['administer'] })
    const tokens = '/owners/acme/robots/ci/tokens'
    const { id } = await makeToken(tokens, 'alice', { name: 'of the robot' })
    for (const [path, json] of [
      [tokens, { name: 'wide' }],
      [`${tokens}/${id}/rotate`, {}],
    ] as const) {
      expect((await call('POST', path, { bearer: secret, json })).status).toBe(403)
    }
    expect((await call('GET', tokens, { bearer: secret })).status).toBe(200)
  })

  test('B4: are only for administrators of their owner, whatever the path', async () => {
    const { id } = await makeToken('/me/tokens', 'alice', { name: 'of alice' })
    expect((await call('GET', '/owners/acme/robots', { as: 'bob' })).status).toBe(403)
    expect((await call('DELETE', `/owners/acme/robots/ci/tokens/${id}`, { as: 'alice' })).status).toBe(404)
    expect((await call('GET', '/owners/bob/robots/ci', { as: 'bob' })).status).toBe(404)
    expect((await call('POST', '/owners/acme/robots', { as: 'alice', json: { name: 'ci' } })).status).toBe(
      409,
    )
  })
})

describe('grants', () => {
  test('are added, explained and removed', async () => {
    const explain = () =>
      call('GET', '/access/explain/acme%2Fweb%2Fapp?principal=bob&action=push', { as: 'alice' })
    expect((await explain()).value).toMatchObject({ allowed: false })
    const json = { repositories: 'web/**', role: 'writer', to: 'bob' }
    const made = await call('POST', '/owners/acme/grants', { as: 'alice', json })
    expect([made.status, made.value['kind']]).toEqual([201, 'user'])
    const id = made.value['id'] as number
    expect((await explain()).value).toMatchObject({ allowed: true, grant: id })
    const rights = await call('GET', '/me/rights?repository=acme%2Fweb%2Fapp', { as: 'bob' })
    expect(rights.value['permissions']).toEqual(['pull', 'push:create', 'push:update'])
    const holders = await call('GET', '/access/who-can/acme?action=push&repositories=web/**', {
      as: 'alice',
    })
    expect((holders.value['items'] as { name: string }[]).map(({ name }) => name)).toContain('bob')
    expect((await call('DELETE', `/owners/acme/grants/${id}`, { as: 'alice' })).status).toBe(204)
    expect((await explain()).value).toMatchObject({ allowed: false })
  })

  test('B4: of one owner are not found under the path of another', async () => {
    const made = await call('POST', '/owners/acme/grants', {
      as: 'alice',
      json: { repositories: '**', role: 'reader', to: 'acme+ci' },
    })
    for (const method of ['GET', 'DELETE']) {
      expect(
        (await call(method, `/owners/bob/grants/${String(made.value['id'])}`, { as: 'bob' })).status,
      ).toBe(404)
    }
    const out = { role: 'owner', to: 'bob', repositories: '../acme/**' }
    expect((await call('POST', '/owners/bob/grants', { as: 'bob', json: out })).value['owner']).toBe('bob')
    expect((await call('GET', '/owners/acme/grants', { as: 'bob' })).status).toBe(403)
    expect(
      (await call('GET', '/access/explain/acme%2Fweb?principal=bob&action=pull', { as: 'bob' })).status,
    ).toBe(403)
  })

  test('B6: do not reveal the teams of another owner, nor their members', async () => {
    await call('POST', '/owners/acme/teams', { as: 'alice', json: { name: 'core' } })
    await call('PUT', '/owners/acme/teams/core/members/alice', { as: 'alice' })
    const all = { repositories: '**' }
    const ask = async (to: string) => {
      const made = await call('POST', '/owners/bob/grants', {
        as: 'bob',
        json: { ...all, role: 'reader', to },
      })
      const listed = await call('GET', `/owners/bob/grants?to=${to}`, { as: 'bob' })
      return [made, listed].map(({ status, value }) => [
        status,
        String(value['detail']).replaceAll(to, '<team>'),
      ])
    }
    expect((await ask('acme/core')).map(([status]) => status)).toEqual([404, 404])
    expect(await ask('acme/core')).toEqual(await ask('acme/none'))
    const own = { ...all, role: 'reader', to: 'acme/core' }
    expect((await call('POST', '/owners/acme/grants', { as: 'alice', json: own })).status).toBe(201)
  })

  test('cover everything only if so written, and refuse the name of the owner in the pattern with both spellings', async () => {
    const add = (repositories?: string) =>
      call('POST', '/owners/acme/grants', { as: 'alice', json: { repositories, role: 'reader', to: 'bob' } })
    const left = await add()
    expect(left.status).toBe(400)
    expect(left.value['detail']).toContain(
      'body.repositories: name the repositories below the owner: "**" for all',
    )
    const repeated = await add('acme/web/**')
    expect(repeated.status).toBe(400)
    expect(repeated.value['detail']).toContain(
      'write web/** for acme/web/**, or ./acme/web/** for acme/acme/web/**',
    )
    const made = await add('./acme/web/**')
    expect([made.status, made.value['repositories']]).toEqual([201, './acme/web/**'])
    for (const [repository, allowed] of [
      ['acme/acme/web/app', true],
      ['acme/web/app', false],
    ] as const) {
      const path = `/access/explain/${encodeURIComponent(repository)}?principal=bob&action=pull`
      expect((await call('GET', path, { as: 'alice' })).value).toMatchObject({ allowed })
    }
    const whoCan = (query: string) => call('GET', `/access/who-can/acme?action=pull${query}`, { as: 'alice' })
    expect((await whoCan('')).status).toBe(400)
    expect((await whoCan('&repositories=acme/web')).status).toBe(400)
    const found = (await whoCan('&repositories=./acme/web/app')).value['items']
    expect((found as { name: string }[]).map(({ name }) => name)).toContain('bob')
    await call('DELETE', `/owners/acme/grants/${String(made.value['id'])}`, { as: 'alice' })
  })

  test('need an existing role and an existing principal', async () => {
    for (const json of [
      { repositories: '**', role: 'nothing', to: 'bob' },
      { repositories: '**', role: 'reader', to: 'nobody' },
    ]) {
      expect((await call('POST', '/owners/acme/grants', { as: 'alice', json })).status).toBe(404)
    }
    const role = { name: 'tagger', actions: ['push:create'] }
    expect((await call('POST', '/roles', { as: 'bob', json: role })).status).toBe(403)
    expect((await call('POST', '/roles', { as: 'root', json: role })).status).toBe(201)
    expect(
      (
        await call('POST', '/owners/acme/grants', {
          as: 'alice',
          json: { repositories: '**', role: 'tagger', to: 'bob' },
        })
      ).status,
    ).toBe(201)
    expect((await call('DELETE', '/roles/tagger', { as: 'root' })).status).toBe(409)
    expect((await call('DELETE', '/roles/reader', { as: 'root' })).status).toBe(409)
  })
})

describe('sessions', () => {
  async function login(): Promise<{ cookie: string; csrf: string; setCookie: string }> {
    const answer = await call('POST', '/session', { json: { name: 'bob', password: passwordOf('bob') } })
    expect(answer.status).toBe(201)
    const [setCookie = ''] = answer.headers['set-cookie'] ?? []
    return { setCookie, cookie: setCookie.split(';')[0] ?? '', csrf: String(answer.value['csrfToken']) }
  }

  test('G4: are a cookie that scripts cannot read and other sites cannot send', async () => {
    const { setCookie, cookie } = await login()
    expect(setCookie).toMatch(/; HttpOnly/)
    expect(setCookie).toMatch(/; SameSite=(?:Lax|Strict)/)
    expect((await call('GET', '/me', { headers: { cookie } })).value).toMatchObject({ name: 'bob' })
    expect((await login()).cookie).not.toBe(cookie)
  })

  test('G4: end when the same browser logs in again', async () => {
    const { cookie } = await login()
    const json = { name: 'alice', password: passwordOf('alice') }
    const again = await call('POST', '/session', { json, headers: { cookie } })
    expect((await call('GET', '/me', { headers: { cookie } })).status).toBe(401)
    const next = again.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
    expect((await call('GET', '/me', { headers: { cookie: next } })).value).toMatchObject({ name: 'alice' })
    const refused = { name: 'alice', password: 'wrong password' }
    await call('POST', '/session', { json: refused, headers: { cookie: next } })
    expect((await call('GET', '/me', { headers: { cookie: next } })).status).toBe(200)
  })

  test('G4: change something only with their token and from this registry', async () => {
    const { cookie, csrf } = await login()
    const json = { name: 'by session' }
    const send = (headers: Record<string, string>) =>
      call('POST', '/me/tokens', { json, headers: { cookie, ...headers } })
    const own = { origin: registry.url }
    for (const headers of [
      {},
      own,
      { 'x-csrf-token': csrf },
      { ...own, 'x-csrf-token': 'wrong' },
      { origin: 'https://evil.example', 'x-csrf-token': csrf },
    ]) {
      expect((await send(headers)).status).toBe(403)
    }
    expect((await send({ ...own, 'x-csrf-token': csrf })).status).toBe(201)
  })

  test('are listed and ended by their user', async () => {
    const { cookie, csrf } = await login()
    const other = await login()
    const { value } = await call('GET', '/me/sessions', { headers: { cookie } })
    const sessions = value['items'] as { id: number; current: boolean }[]
    expect(sessions.filter(({ current }) => current)).toHaveLength(1)
    const otherId = sessions.at(-1)?.id ?? 0
    expect((await call('DELETE', `/me/sessions/${otherId}`, { as: 'alice' })).status).toBe(404)
    expect((await call('DELETE', `/me/sessions/${otherId}`, { as: 'bob' })).status).toBe(204)
    expect((await call('GET', '/me', { headers: { cookie: other.cookie } })).status).toBe(401)
    const headers = { cookie, origin: registry.url, 'x-csrf-token': csrf }
    const out = await call('DELETE', '/session', { headers })
    expect([out.status, out.headers['set-cookie']?.[0]]).toEqual([204, expect.stringContaining('Max-Age=0')])
    expect((await call('GET', '/me', { headers: { cookie } })).status).toBe(401)
  })

  test('do not begin with a wrong password, an access token, or from another site', async () => {
    const { secret } = await makeToken('/me/tokens', 'bob', { name: 'for login' })
    for (const password of ['wrong password', secret]) {
      expect((await call('POST', '/session', { json: { name: 'bob', password } })).status).toBe(401)
    }
    const json = { name: 'bob', password: passwordOf('bob') }
    expect(
      (await call('POST', '/session', { json, headers: { origin: 'https://evil.example' } })).status,
    ).toBe(403)
  })

  test('C2: end when the user changes the password, which needs the old one', async () => {
    const { cookie } = await login()
    const change = (oldPassword: string, password: string) =>
      call('PUT', '/me/password', { as: 'bob', json: { oldPassword, password } })
    expect((await change('wrong password', 'the next password')).status).toBe(401)
    expect((await change(passwordOf('bob'), 'bob')).status).toBe(400)
    expect((await change(passwordOf('bob'), 'the next password')).status).toBe(204)
    expect((await call('GET', '/me', { headers: { cookie } })).status).toBe(401)
  })
})
