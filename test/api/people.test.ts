/** Owners, members, teams and users over HTTP. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { askApi } from '../support/http/api-client.ts'
import { passwordOf } from '../support/parts/identity-server.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import { tester } from '../support/parts/tester.ts'

const registry = shareRegistry({ auth: { anonymous: 'pull' } })
let count = 0
let org = ''

beforeAll(async () => {
  const { accounts } = registry.app.auth
  await accounts.add({ name: 'root', password: passwordOf('root'), isAdmin: true }, tester)
  for (const name of ['alice', 'bob']) {
    await accounts.add({ name, password: passwordOf(name), isAdmin: false }, tester)
  }
})

beforeEach(async () => {
  count += 1
  org = `org-${count}`
  await call('POST', '/owners', { as: 'root', json: { name: org, visibility: 'private' } })
  await call('PUT', `/owners/${org}/members/alice`, { as: 'root', json: { role: 'owner' } })
})

function call(
  method: string,
  path: string,
  options: { as?: string; json?: unknown; headers?: Record<string, string> },
) {
  return askApi(registry.url, path, { method, ...options })
}

async function names(path: string, as: string): Promise<unknown[]> {
  const { value } = await call('GET', path, { as })
  return (value['items'] as { name: string }[]).map(({ name }) => name)
}

describe('owners', () => {
  test('are made once, and found at the Location', async () => {
    const made = await call('POST', '/owners', { as: 'root', json: { name: `${org}-b` } })
    expect([made.status, made.headers.location]).toEqual([201, `/api/v1/owners/${org}-b`])
    expect(made.value).toMatchObject({ kind: 'organization', visibility: 'public', formerNames: [] })
    const again = await call('POST', '/owners', { as: 'root', json: { name: `${org}-b` } })
    expect([again.status, again.value['code']]).toEqual([409, 'DENIED'])
  })

  test.each(['api', 'v2', '-', 'Acme', 'a/b'])('are not called %s', async (name) => {
    const { status, value } = await call('POST', '/owners', { as: 'root', json: { name } })
    expect(status).toBe(400)
    expect(value['detail']).toBeTypeOf('string')
  })

  test('B6: a private one is visible only with a right on it, in lists and links too', async () => {
    expect(await names('/owners?limit=200', 'alice')).toContain(org)
    expect(await names('/owners?limit=200', 'bob')).not.toContain(org)
    const [hidden, absent] = [
      await call('GET', `/owners/${org}`, { as: 'bob' }),
      await call('GET', '/owners/nothing', { as: 'bob' }),
    ]
    const anonymised = (text: string) => text.replaceAll(org, '<name>').replaceAll('nothing', '<name>')
    expect([hidden.status, absent.status]).toEqual([404, 404])
    expect(anonymised(String(hidden.value['detail']))).toBe(anonymised(String(absent.value['detail'])))
    let path: string | undefined = '/owners?limit=1'
    while (path !== undefined) {
      const page = await call('GET', path, { as: 'bob' })
      const link = page.headers.link?.toString() ?? ''
      expect(link).not.toMatch(new RegExp(`after=${org}(?:&|>)`))
      path = /<\/api\/v1([^>]+)>/.exec(link)?.[1]
    }
  })

  test('B4: are changed by their administrators, and refused alike to others', async () => {
    const patch = (name: string, as: string) =>
      call('PATCH', `/owners/${name}`, { as, json: { visibility: 'public' } })
    expect((await patch(org, 'bob')).status).toBe(403)
    expect((await patch('nothing', 'bob')).status).toBe(403)
    expect((await patch(org, 'alice')).value).toMatchObject({ visibility: 'public' })
  })

  test('are changed only with the current entity tag, by one of two readers of the same', async () => {
    const { headers } = await call('GET', `/owners/${org}`, { as: 'alice' })
    const change = (visibility: string) =>
      call('PATCH', `/owners/${org}`, {
        as: 'alice',
        json: { visibility },
        headers: { 'if-match': headers.etag ?? '' },
      })
    const both = await Promise.all([change('public'), change('internal')])
    expect(new Set(both.map(({ status }) => status))).toEqual(new Set([200, 412]))
    const unchanged = await call('GET', `/owners/${org}`, { as: 'alice' })
    const again = await call('GET', `/owners/${org}`, {
      as: 'alice',
      headers: { 'if-none-match': unchanged.headers.etag ?? '' },
    })
    expect([again.status, again.body.length]).toEqual([304, 0])
  })

  test('are deleted only with the current entity tag', async () => {
    const { headers } = await call('GET', `/owners/${org}`, { as: 'alice' })
    const remove = (etag: string) =>
      call('DELETE', `/owners/${org}`, { as: 'alice', headers: { 'if-match': etag } })
    expect((await remove('"other"')).status).toBe(412)
    expect((await remove(headers.etag ?? '')).status).toBe(204)
  })

  test('keep their former name when they are renamed', async () => {
    const renamed = await call('POST', `/owners/${org}/rename`, { as: 'alice', json: { name: `${org}-new` } })
    expect(renamed.value).toMatchObject({ name: `${org}-new`, formerNames: [org] })
    expect((await call('POST', '/owners', { as: 'root', json: { name: org } })).status).toBe(409)
    const user = { name: org, password: passwordOf(org) }
    expect((await call('POST', '/users', { as: 'root', json: user })).status).toBe(409)
  })

  test('B6: do not reveal the former owner of a name', async () => {
    await call('POST', '/owners', { as: 'root', json: { name: `${org}-b`, visibility: 'private' } })
    await call('POST', `/owners/${org}-b/rename`, { as: 'root', json: { name: `${org}-hidden` } })
    const { status, value } = await call('POST', `/owners/${org}/rename`, {
      as: 'alice',
      json: { name: `${org}-b` },
    })
    expect(status).toBe(409)
    expect(value['detail']).toBe(`the name ${org}-b is taken: choose another name`)
    expect(JSON.stringify(value)).not.toContain('hidden')
  })

  test('are deleted, but a user is not deleted as an organization', async () => {
    expect((await call('DELETE', `/owners/${org}`, { as: 'alice' })).status).toBe(204)
    expect((await call('GET', `/owners/${org}`, { as: 'root' })).status).toBe(404)
    expect((await call('DELETE', '/owners/bob?purge=true', { as: 'bob' })).status).toBe(404)
  })
})

describe('members and teams', () => {
  test('B4: are only for administrators of the organization', async () => {
    for (const [method, path] of [
      ['GET', 'members'],
      ['PUT', 'members/bob'],
      ['DELETE', 'members/alice'],
      ['GET', 'teams'],
      ['POST', 'teams'],
    ] as const) {
      const json = method === 'GET' || method === 'DELETE' ? undefined : {}
      for (const owner of [org, 'nothing', 'alice']) {
        expect((await call(method, `/owners/${owner}/${path}`, { as: 'bob', json })).status).toBe(403)
      }
    }
  })

  test('are added, listed and removed', async () => {
    expect((await call('PUT', `/owners/${org}/members/bob`, { as: 'alice', json: {} })).status).toBe(204)
    expect(await names(`/owners/${org}/members`, 'alice')).toEqual(['alice', 'bob'])
    const made = await call('POST', `/owners/${org}/teams`, { as: 'alice', json: { name: 'dev' } })
    expect([made.status, made.headers.location]).toEqual([201, `/api/v1/owners/${org}/teams/dev`])
    expect((await call('PUT', `/owners/${org}/teams/dev/members/bob`, { as: 'alice' })).status).toBe(204)
    expect(await names(`/owners/${org}/teams/dev/members`, 'alice')).toEqual(['bob'])
    expect((await call('DELETE', `/owners/${org}/members/bob`, { as: 'alice' })).status).toBe(204)
    expect(await names(`/owners/${org}/teams/dev/members`, 'alice')).toEqual([])
    expect((await call('PUT', `/owners/${org}/teams/dev/members/bob`, { as: 'alice' })).status).toBe(404)
    expect((await call('DELETE', `/owners/${org}/teams/dev`, { as: 'alice' })).status).toBe(204)
    expect((await call('GET', `/owners/${org}/teams/dev`, { as: 'alice' })).status).toBe(404)
  })

  test('have pages that follow each other without a gap', async () => {
    await call('PUT', `/owners/${org}/members/bob`, { as: 'alice', json: {} })
    const first = await call('GET', `/owners/${org}/members?limit=1`, { as: 'alice' })
    const [, next = ''] = /<\/api\/v1([^>]+)>; rel="next"/.exec(first.headers.link?.toString() ?? '') ?? []
    expect(await names(next, 'alice')).toEqual(['bob'])
    expect((await call('GET', next, { as: 'alice' })).headers.link).toBeUndefined()
  })
})

describe('users', () => {
  test('are created, renamed, disabled and deleted by administrators, who cannot lock themselves out', async () => {
    const name = `user-${count}`
    const json = { name, password: passwordOf(name) }
    const made = await call('POST', '/users', { as: 'root', json })
    expect([made.status, made.headers.location]).toEqual([201, `/api/v1/users/${name}`])
    expect((await call('POST', '/users', { as: 'root', json })).status).toBe(409)
    expect((await call('GET', '/me', { as: name })).value).toMatchObject({ name, credential: 'password' })
    await call('PATCH', `/users/${name}`, { as: 'root', json: { disabled: true } })
    expect((await call('GET', '/me', { as: name })).status).toBe(401)
    const renamed = await call('POST', `/users/${name}/rename`, { as: 'root', json: { name: `${name}-b` } })
    expect(renamed.value).toMatchObject({ name: `${name}-b`, disabled: true })
    expect((await call('DELETE', `/users/${name}-b`, { as: 'root' })).status).toBe(204)
    expect((await call('PATCH', '/users/root', { as: 'root', json: { disabled: true } })).status).toBe(409)
    expect((await call('DELETE', '/users/root', { as: 'root' })).status).toBe(409)
    const own = { password: 'not proven by the old one' }
    expect((await call('PATCH', '/users/root', { as: 'root', json: own })).status).toBe(409)
    expect((await call('GET', '/me', { as: 'root' })).status).toBe(200)
  })

  /** Lists the administrators who can log in. */
  async function listActive(): Promise<string[]> {
    const users = await registry.app.auth.accounts.list({ limit: 500 })
    return users.filter(({ isAdmin, disabled }) => isAdmin && !disabled).map(({ name }) => name)
  }

  test.each([
    ['PATCH', 'DELETE'],
    ['DELETE', 'PATCH'],
    ['PATCH', 'PATCH'],
    ['DELETE', 'DELETE'],
  ])('C2: simultaneous %s of one and %s of the other of two administrators leave one', async (...methods) => {
    const names = ['ann', 'bea'].map((name) => `${name}-${methods.join('-').toLowerCase()}`)
    const { accounts } = registry.app.auth
    for (const name of names) await accounts.add({ name, password: passwordOf(name), isAdmin: true }, tester)
    const others = (await listActive()).filter((name) => !names.includes(name))
    for (const name of others) await accounts.disable(name, tester)
    try {
      const answers = await Promise.all(
        methods.map((method, index) =>
          call(method, `/users/${names[index] ?? ''}`, {
            as: names[1 - index] ?? '',
            ...(method === 'PATCH' && { json: { disabled: true } }),
          }),
        ),
      )
      // The second administrator may be disabled already when its request arrives.
      const refused = answers.filter(({ status }) => status === 409 || status === 401)
      expect(refused).toHaveLength(1)
      expect(await listActive()).toHaveLength(1)
    } finally {
      for (const name of others) await accounts.enable(name, tester)
      for (const name of names) await accounts.setAdministrator(name, false, tester).catch(() => undefined)
    }
  })

  test('B10: no list and no user shows a hash', async () => {
    const list = await call('GET', '/users', { as: 'root' })
    expect(Object.keys((list.value['items'] as object[])[0] ?? {}).sort()).toEqual([
      'createdAt',
      'disabled',
      'isAdmin',
      'name',
    ])
    expect(list.text()).not.toContain('argon2')
  })
})
